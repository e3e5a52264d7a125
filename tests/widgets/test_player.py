"""Playing: every frame once and in order, commands between chunks, errors kept and shown."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
import torch

from convis_core import Chunk, models, samples
from convis_core.errors import ConvisError, ResolutionError, RunError, UnknownNameError
from convis_core.filters import NLRectify
from convis_core.streams import RandomStream
from convis_widgets.live.fit_player import FitPlayer
from convis_widgets.live.run_player import RunPlayer

Make = Callable[..., RunPlayer]


def spans(player: RunPlayer) -> list[tuple[int, int]]:
    """Have the player note the chunks it shows."""
    seen: list[tuple[int, int]] = []
    player.watchers.append(lambda chunk: seen.append((chunk.start, chunk.stop)))
    return seen


def test_every_frame_is_played_once_and_in_order(make_player: Make) -> None:
    player = make_player(dt=30)
    seen = spans(player)
    player.play()
    assert player.wait(10.0) == "finished"
    assert seen == [(0, 30), (30, 60), (60, 90), (90, 100)]
    assert player.position == pytest.approx(0.1)


def test_step_plays_one_chunk_and_play_goes_on_from_there(make_player: Make) -> None:
    player = make_player(dt=25)
    seen = spans(player)
    player.step()
    assert player.wait(10.0) == "paused"
    assert seen == [(0, 25)]
    player.play()
    player.wait(10.0)
    assert seen == [(0, 25), (25, 50), (50, 75), (75, 100)]


def test_the_chunk_length_changes_in_the_middle_without_losing_a_frame(make_player: Make) -> None:
    player = make_player(dt=25)
    seen = spans(player)
    player.step()
    player.wait(10.0)
    player.command("chunk", 50.0)  # ms, at 1000 steps a second
    player.play()
    player.wait(10.0)
    assert seen == [(0, 25), (25, 75), (75, 100)]


def test_a_chunk_that_would_keep_every_command_waiting_is_refused(make_player: Make) -> None:
    player = make_player(dt=25)
    player.command("chunk", 10_000.0)
    with pytest.raises(ResolutionError, match="at most 10000 ms"):
        player.command("chunk", 10_001.0)
    assert player.dt == 10_000


def test_after_stop_it_begins_again_without_memory(make_player: Make) -> None:
    conv = models.L(kernel_dim=(5, 1, 1), bias=False)
    conv.conv.set_weight(np.ones(5))
    player = make_player(conv, np.arange(10.0), dt=5)
    answers: list[list[float]] = []
    player.watchers.append(lambda chunk: answers.append(chunk.output.array().ravel().tolist()))
    player.step()
    player.wait(10.0)
    player.stop()
    assert player.wait(10.0) == "stopped"
    player.step()
    player.wait(10.0)
    assert answers[0] == answers[1]


def test_restart_plays_from_the_beginning_at_once(make_player: Make) -> None:
    player = make_player(dt=50)
    seen = spans(player)
    player.step()
    player.wait(10.0)
    player.restart()
    assert player.wait(10.0) == "finished"
    assert seen == [(0, 50), (0, 50), (50, 100)]


def test_seek_goes_to_a_time_and_plays_from_there(make_player: Make) -> None:
    player = make_player(dt=20)
    seen = spans(player)
    player.seek(0.06)
    player.play()
    player.wait(10.0)
    assert seen == [(60, 80), (80, 100)]


def test_a_loop_goes_round_until_it_is_paused(make_player: Make) -> None:
    player = make_player(dt=50, loop=True)
    rounds = threading.Event()
    starts: list[int] = []

    def watch(chunk: Chunk) -> None:
        starts.append(chunk.start)
        if len(starts) >= 5:
            rounds.set()

    player.watchers.append(watch)
    player.play()
    assert rounds.wait(10.0)
    player.pause()
    assert player.wait(10.0) == "paused"
    assert starts[:5] == [0, 50, 0, 50, 0]
    assert player.rate > 0


def test_an_endless_stimulus_is_stopped_within_a_second(make_player: Make) -> None:
    player = make_player(models.L(), RandomStream(size=(4, 4), seed=1), dt=10)
    player.play()
    time.sleep(0.05)
    began = time.monotonic()
    player.stop()
    assert player.wait(5.0) == "stopped"
    assert time.monotonic() - began < 1.0
    assert player.duration is None


def test_the_speed_limit_holds(make_player: Make) -> None:
    player = make_player(dt=50, speed=0.5)  # 100 ms of film at half speed
    began = time.monotonic()
    player.play()
    player.wait(10.0)
    assert time.monotonic() - began >= 0.1  # the first of two chunks lasts 100 ms
    with pytest.raises(ResolutionError, match="above 0"):
        player.set_speed(0.0)


def test_jobs_run_between_chunks_on_the_players_thread(make_player: Make) -> None:
    player = make_player(dt=10)
    threads: set[str] = set()
    player.watchers.append(lambda chunk: threads.add(threading.current_thread().name))
    player.play()
    job = player.submit(lambda: threads.add(threading.current_thread().name))
    job.result(10.0)
    player.wait(10.0)
    assert threads == {"convis-player"}


class Broken(NLRectify, register=False):
    """Raises at the third chunk, once."""

    calls = 0

    def forward(self, x):  # type: ignore[no-untyped-def]
        self.calls += 1
        if self.calls == 3:
            raise ValueError("a cable came loose")
        return super().forward(x)


def test_a_model_that_raises_fails_visibly_and_can_be_played_again(make_player: Make) -> None:
    player = make_player(Broken(), np.zeros((100, 2, 2)), dt=20)
    seen = spans(player)
    player.play()
    assert player.wait(10.0) == "failed"
    assert isinstance(player.error, RunError)
    assert "a cable came loose" in str(player.error)
    assert seen == [(0, 20), (20, 40)]
    assert player.output is not None
    assert player.output.n_frames == 40  # what was computed before is still there
    player.play()
    assert player.wait(10.0) == "finished"
    assert player.error is None


def test_another_stimulus_is_shown_from_its_beginning_also_of_another_size(make_player: Make) -> None:
    player = make_player(models.L(kernel_dim=(5, 1, 1)), np.zeros((100, 4, 4)), dt=40)
    seen = spans(player)
    player.step()
    player.wait(10.0)
    player.load(np.ones((50, 6, 3)))
    player.play()
    assert player.wait(10.0) == "finished"
    assert seen == [(0, 40), (0, 40), (40, 50)]


def test_the_first_frame_can_be_seen_before_it_is_played(make_player: Make) -> None:
    player = make_player(models.L(bias=False), np.arange(8.0).reshape(2, 2, 2) + 3.0)
    seen = spans(player)
    first = player.preview()
    assert first is not None
    assert first.flatten().tolist() == [3.0, 4.0, 5.0, 6.0]
    player.play()
    player.wait(10.0)
    assert seen == [(0, 2)]  # and it is played all the same
    assert make_player(models.L(), RandomStream(size=(2, 2))).preview() is None


def test_the_player_leaves_a_processor_and_the_notebook_keeps_them_all(make_player: Make) -> None:
    before = torch.get_num_threads()
    player = make_player()
    seen = [player.submit(torch.get_num_threads).result(10.0)]
    other = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert seen == [max(1, before - 1), before]
    assert torch.get_num_threads() == before


def test_the_output_is_that_of_the_present_run_alone(make_player: Make) -> None:
    player = make_player(models.L(bias=False), np.zeros((100, 8, 8)), dt=20)
    lengths = []
    for order in (player.play, player.play, player.restart, lambda: (player.seek(0.05), player.play())):
        order()
        player.wait(10.0)
        lengths.append(player.output.n_frames if player.output else 0)
    player.load(np.zeros((30, 4, 4)))
    player.play()
    player.wait(10.0)
    assert player.output is not None
    assert [*lengths, player.output.n_frames] == [100, 100, 100, 50, 30]


def test_only_the_newest_responses_are_kept(make_player: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convis_widgets.live.run_player.KEPT_BYTES", 3 * 20 * 4 * 4)  # three chunks of 20 frames of 2x2
    player = make_player(models.L(bias=False), np.zeros((200, 2, 2)), dt=20)
    for _ in range(2):  # the second run starts to count anew
        player.play()
        player.wait(10.0)
        assert player.output is not None
        assert (player.output.start, player.output.n_frames) == (140, 60)


def test_a_loop_keeps_its_present_round(make_player: Make) -> None:
    player = make_player(models.L(bias=False), np.zeros((40, 2, 2)), dt=20, loop=True)
    for _ in range(3):
        player.step()
        player.wait(10.0)
    assert player.output is not None
    assert player.output.n_frames == 20


@pytest.mark.parametrize("nonsense", ["a", None, float("nan"), True])
def test_a_time_that_is_none_is_refused(make_player: Make, nonsense: object) -> None:
    with pytest.raises(ResolutionError, match="number of seconds"):
        make_player().seek(nonsense)  # type: ignore[arg-type]


class NotANumber(NLRectify, register=False):
    """Answers NaN."""

    def forward(self, x):  # type: ignore[no-untyped-def]
        return x * float("nan")


def test_a_response_that_is_not_finite_is_named(make_player: Make) -> None:
    player = make_player(NotANumber(), np.ones((40, 2, 2)), dt=20)
    player.play()
    assert player.wait(10.0) == "failed"
    assert "The response output of NotANumber" in str(player.error)


def test_an_unknown_command_lists_those_there_are(make_player: Make) -> None:
    with pytest.raises(UnknownNameError, match="play, pause, step, stop, restart"):
        make_player().command("rewind")


def test_a_closed_player_says_so(make_player: Make) -> None:
    player = make_player()
    player.close()
    with pytest.raises(ConvisError, match="closed"):
        player.play()


@pytest.fixture
def fit_player() -> FitPlayer:
    stimulus, response = samples.generate_sample_data(size=(300, 8, 8), seed=2)
    model = models.LN(kernel_dim=(5, 3, 3))
    model.set_optimizer.Adam(lr=0.01)
    return FitPlayer(model, stimulus, response, dt=100, epochs=3)


def test_a_fit_is_paused_gets_another_optimiser_and_goes_on(fit_player: FitPlayer) -> None:
    used: list[str] = []
    fit_player.watchers.append(lambda step: used.append(step.optimizer))
    fit_player.step()
    fit_player.wait(10.0)
    fit_player.set_optimizer("SGD", 1e-7).result(10.0)
    fit_player.play()
    assert fit_player.wait(30.0) == "finished"
    fit_player.close()
    assert used == ["Adam"] + ["SGD"] * 8


@pytest.mark.parametrize("name", ["Adam", "LBFGS"])
def test_a_fit_tells_how_much_of_it_is_done_whatever_the_optimiser(fit_player: FitPlayer, name: str) -> None:
    fit_player.set_optimizer(name, 1e-3).result(10.0)
    fit_player.play()
    assert fit_player.wait(30.0) == "finished"
    report = fit_player.report()
    fit_player.close()
    assert report["position_s"] == report["duration_s"] == 9 and report["unit"] == "chunks"


def test_a_restarted_fit_begins_at_the_first_parameters(fit_player: FitPlayer) -> None:
    losses: list[float] = []
    fit_player.watchers.append(lambda step: losses.append(step.loss))
    fit_player.play()
    fit_player.wait(30.0)
    fit_player.restart()
    fit_player.wait(30.0)
    fit_player.close()
    assert losses[9] == losses[0] > losses[8]
