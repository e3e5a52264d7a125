"""A fit sees the same loss for the same weights, keeps within bounds, and leaves nothing behind."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import convis_core as convis
from convis_core import Layer, fit, parameter
from convis_core.errors import ConvisError, FitError, ResolutionError, ShapeError, UnknownNameError
from convis_core.loops.losses import poisson_loss
from convis_core.loops.optimizers import optimizer_names

STIMULUS, RESPONSE = convis.samples.generate_sample_data(size=(80, 8, 8), seed=1)


def make_model() -> convis.models.LN:
    torch.manual_seed(0)
    return convis.models.LN(kernel_dim=(6, 5, 5))


@pytest.fixture
def model() -> convis.models.LN:
    return make_model()


class Gain(Layer, register=False):
    """A factor between 0 and 2, possibly with noise."""

    gain = parameter(1.0, unit="mV", bounds=(0.0, 2.0), doc="factor of the input")
    noisy = False

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * x * (torch.rand_like(x) if self.noisy else 1.0)


# What a step says -------------------------------------------------------------------------------


def test_steps_and_epochs_are_counted(model: convis.models.LN) -> None:
    model.set_optimizer.SGD(lr=1e-6)
    steps = list(fit(model, STIMULUS, RESPONSE, dt=30, epochs=2))
    assert [(s.step, s.epoch, s.start, s.stop) for s in steps] == [
        (0, 0, 0, 30),
        (1, 0, 30, 60),
        (2, 0, 60, 80),
        (3, 1, 0, 30),
        (4, 1, 30, 60),
        (5, 1, 60, 80),
    ]
    last = steps[-1]
    assert last.optimizer == "SGD" and not last.response.requires_grad
    assert last.input.shape == last.target.shape == last.response.shape == (1, 1, 20, 8, 8)
    assert last.loss == pytest.approx(float((last.response - last.target).square().sum()))


def test_compute_loss_is_what_a_fit_would_see(model: convis.models.LN) -> None:
    model.run(STIMULUS[:10])
    kept, before = model.get_parameters(), model.get_state()
    losses = model.compute_loss(STIMULUS, RESPONSE, dt=30)
    for name, value in model.get_state().items():
        assert torch.equal(value, before[name])
    model.set_optimizer.SGD(lr=0.0)
    assert losses.tolist() == [step.loss for step in model.fit(STIMULUS, RESPONSE, dt=30)]
    assert losses.sum() == pytest.approx(model.compute_loss(STIMULUS, RESPONSE).sum(), rel=1e-5)
    assert all(np.array_equal(model.get_parameters()[n], v) for n, v in kept.items())


def test_optimize_returns_the_loss_of_every_update(model: convis.models.LN) -> None:
    model.set_optimizer.Adam(lr=0.01)
    losses = model.optimize(STIMULUS, RESPONSE, dt=40, epochs=3)
    assert losses.shape == (6,) and losses[-1] < losses[1]


# State ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noisy", [False, True])
def test_the_same_weights_give_the_same_loss_to_the_last_bit(noisy: bool) -> None:
    model: Layer = Gain(gain=0.5) if noisy else make_model()
    model.noisy = noisy
    seen: dict[bytes, set[float]] = {}
    evaluations = 0

    def loss(response: Tensor, target: Tensor) -> Tensor:
        nonlocal evaluations
        evaluations += 1
        value = (response - target).square().sum()
        weights = b"".join(p.detach().numpy().tobytes() for p in model.parameters())
        seen.setdefault(weights + target.numpy().tobytes(), set()).add(float(value.detach()))
        return value

    class Twice(torch.optim.SGD):
        """Evaluates the loss several times without moving, as a line search does at its start."""

        def step(self, closure: Any = None) -> Any:
            closure()
            closure()
            return super().step(closure)

    optimizers = [torch.optim.LBFGS(model.parameters(), lr=0.1), Twice(model.parameters(), lr=1e-9)]
    for optimizer in optimizers:
        for _ in fit(model, STIMULUS, RESPONSE, dt=40, optimizer=optimizer, loss_fn=loss):
            pass
    assert evaluations > len(seen) > 4
    assert all(len(values) == 1 for values in seen.values())


@pytest.mark.parametrize("n_trials", [1, 2])
def test_lbfgs_sees_one_loss_for_the_same_weights_in_chunks_and_in_one(n_trials: int) -> None:
    """Curvature learnt on one chunk misleads on another: chunks, and trials, are minimised together."""
    films, targets = (np.array_split(whole, n_trials) for whole in (STIMULUS, RESPONSE))
    ways = []
    for dt in (None, 13):
        torch.manual_seed(0)
        model = convis.models.LN(kernel_dim=(3, 3, 3)).double()
        model.set_optimizer.LBFGS(max_iter=5)
        before = model.compute_loss(films, targets, dt).sum()
        steps = list(model.fit(films, targets, dt=dt, epochs=2))
        assert steps[0].loss == pytest.approx(before, rel=1e-12)
        assert [(step.step, step.epoch, step.trial, step.start, step.ends_epoch) for step in steps] == [
            (0, 0, 0, 0, True),
            (1, 1, 0, 0, True),
        ]
        ways.append((steps[1].loss, model.compute_loss(films, targets).sum(), model.p.conv.weight.value))
    assert ways[0][0] == pytest.approx(ways[1][0], rel=1e-6)
    np.testing.assert_allclose(ways[0][2], ways[1][2], atol=1e-6)
    assert ways[0][1] < ways[0][0] < before


def test_lbfgs_takes_over_for_the_rest_of_a_pass(model: convis.models.LN) -> None:
    model.set_optimizer.Adam(lr=1e-3)
    made = []
    for step in model.fit(STIMULUS, RESPONSE, dt=40, epochs=2):
        made.append((step.optimizer, step.epoch, step.start))
        if step.step == 0:
            rest = model.set_optimizer.LBFGS(max_iter=2)
    assert made == [("Adam", 0, 0), ("LBFGS", 0, 40), ("LBFGS", 1, 0)]
    assert rest.state


def test_lbfgs_carries_the_state_of_the_weights_it_chose(model: convis.models.LN) -> None:
    """Chunked and whole runs agree at the fitted weights: the history was not that of another evaluation."""
    model.set_optimizer.LBFGS()
    steps = model.fit(STIMULUS, RESPONSE, dt=40)
    next(steps)
    twin = copy.deepcopy(model)
    np.testing.assert_array_equal(model.run(STIMULUS[40:]).array(), twin.run(STIMULUS[40:]).array())
    twin.clear_state()
    model.clear_state()
    torch.testing.assert_close(twin.run(STIMULUS)[0], model.run(STIMULUS, dt=40)[0])


@pytest.mark.parametrize("early", [False, True])
def test_the_state_is_left_as_it_was(model: convis.models.LN, early: bool) -> None:
    model.run(STIMULUS[:13])
    before = model.get_state()
    model.set_optimizer.SGD(lr=1e-6)
    steps = model.fit(STIMULUS, RESPONSE, dt=40)
    next(steps)
    assert not torch.equal(model.get_state()["conv.history"], before["conv.history"])
    if early:
        steps.close()  # type: ignore[attr-defined]
    else:
        list(steps)
    assert torch.equal(model.get_state()["conv.history"], before["conv.history"])


def test_memory_does_not_grow_with_the_run(model: convis.models.LN) -> None:
    model.set_optimizer.SGD(lr=1e-6)
    for _ in model.fit(STIMULUS, RESPONSE, dt=20):
        assert all(v is None or not v.requires_grad for v in model.get_state().values())
        assert not model.conv.history.requires_grad


def test_every_epoch_starts_without_memory() -> None:
    model = make_model()
    model.set_optimizer.SGD(lr=0.0)
    losses = model.optimize(STIMULUS, RESPONSE, dt=30, epochs=2)
    assert losses[:3].tolist() == losses[3:].tolist()


# What counts ------------------------------------------------------------------------------------


def test_skipped_frames_do_not_count(model: convis.models.LN) -> None:
    spoiled = RESPONSE.copy()
    spoiled[:35] = 1e6
    clean = model.compute_loss(STIMULUS, RESPONSE, dt=30, t_skip=35)
    assert clean[0] == 0.0 and clean[1] > 0.0
    np.testing.assert_array_equal(model.compute_loss(STIMULUS, spoiled, dt=30, t_skip=35), clean)
    model.set_optimizer.SGD(lr=1e-6)
    assert next(s.loss for s in model.fit(STIMULUS, spoiled, dt=30, t_skip=35)) == 0.0


@pytest.mark.parametrize("options", [{"t_skip": -1}, {"t_skip": 1.5}, {"epochs": 0}, {"epochs": 1.5}, {"dt": 0}])
def test_nonsense_numbers(model: convis.models.LN, options: dict[str, Any]) -> None:
    model.set_optimizer.Adam()
    with pytest.raises(ResolutionError, match=next(iter(options))):
        model.fit(STIMULUS, RESPONSE, **options)


def test_one_of_several_responses_is_chosen() -> None:
    class Two(Gain, register=False):
        output_names = ("left", "right")

        def forward(self, x: Tensor) -> Any:
            return self.gain * x, -self.gain * x

    model = Two()
    with pytest.raises(FitError, match=r"2 responses: left, right.*output='left'"):
        model.compute_loss(STIMULUS, RESPONSE)
    left, right = (model.compute_loss(STIMULUS, STIMULUS, output=name) for name in ("left", "right"))
    assert left == 0.0 and right > 0.0
    assert model.compute_loss(STIMULUS, STIMULUS, output=1) == right
    with pytest.raises(UnknownNameError, match="left, right"):
        model.compute_loss(STIMULUS, STIMULUS, output="up")


def test_bounds_are_kept_by_projection() -> None:
    model = Gain(gain=1.9)
    model.set_optimizer.SGD(lr=1e-3)
    model.optimize(STIMULUS, 5.0 * STIMULUS, dt=40)
    assert model.p.gain == 2.0
    model.optimize(STIMULUS, -5.0 * STIMULUS, dt=40)
    assert model.p.gain == 0.0


def test_frozen_parameters_stay(model: convis.models.LN) -> None:
    model.p.conv.bias.requires_grad = False
    bias = float(model.p.conv.bias)
    model.set_optimizer.Adam(lr=0.1)
    model.optimize(STIMULUS, RESPONSE, dt=40)
    assert model.p.conv.bias == bias
    model.p.conv.weight.requires_grad = False
    for start in (model.set_optimizer.Adam, lambda: model.optimize(STIMULUS, RESPONSE)):
        with pytest.raises(FitError, match=r"no parameter to fit.*requires_grad_\(True\)"):
            start()


def test_any_loss_may_be_given(model: convis.models.LN) -> None:
    losses = model.compute_loss(STIMULUS, RESPONSE, dt=40, loss_fn=torch.nn.functional.l1_loss)
    expected = np.abs(make_model().run(STIMULUS).array()[0, 0] - RESPONSE).reshape(2, -1).mean(axis=1)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


# Optimisers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", optimizer_names())
def test_every_optimiser_steps_or_says_why_not(name: str) -> None:
    model = make_model()
    kept = model.get_parameters()
    try:
        getattr(model.set_optimizer, name)()
        model.optimize(STIMULUS, RESPONSE, dt=40)
    except FitError as error:
        # one takes only matrices, another sparse gradients, and ours a few numbers
        assert name in ("Muon", "SparseAdam", "FiniteDifferences")
        assert name in str(error) and (error.__cause__ is not None) == hasattr(torch.optim, name)
        assert all(np.array_equal(model.get_parameters()[n], v) for n, v in kept.items())
    else:
        assert all(bool(torch.isfinite(p).all()) for p in model.parameters())
        assert not np.array_equal(model.get_parameters()["conv.weight"], kept["conv.weight"])


def test_optimisers_complete_by_name(model: convis.models.LN) -> None:
    assert {"Adam", "SGD", "LBFGS", "RMSprop", "BoundedLBFGS", "FiniteDifferences"} <= set(dir(model.set_optimizer))
    assert "Adam" in repr(model.set_optimizer)
    assert "lr" in (model.set_optimizer.Adam.__doc__ or "")
    with pytest.raises(UnknownNameError, match=r"no optimiser called Adem\. There are: .*Adam"):
        _ = model.set_optimizer.Adem
    with pytest.raises(FitError, match="Adam does not take"):
        model.set_optimizer.Adam(learning_rate=1)
    chosen = model.set_optimizer.SGD([model.conv.bias], lr=0.5)
    assert model.optimizer is chosen and chosen.param_groups[0]["lr"] == 0.5


def test_no_optimiser_is_said_at_once(model: convis.models.LN) -> None:
    with pytest.raises(FitError, match="set_optimizer"):
        fit(model, STIMULUS, RESPONSE)


def test_the_optimiser_may_change_on_the_way(model: convis.models.LN) -> None:
    model.set_optimizer.Adam()
    names = []
    for step in fit(model, STIMULUS, RESPONSE, dt=20):
        names.append(step.optimizer)
        if step.step == 1:
            model.set_optimizer.SGD(lr=1e-6)
    assert names == ["Adam", "Adam", "SGD", "SGD"]


# What goes wrong --------------------------------------------------------------------------------


def assert_unchanged(model: Layer, kept: dict[str, Any]) -> None:
    for name, value in model.get_parameters().items():
        np.testing.assert_array_equal(value, kept[name])


def test_a_fit_that_diverges_later_falls_back_on_its_best_pass(model: convis.models.LN) -> None:
    """What it had just before the loss was too large to go on is worth nothing."""
    model.set_optimizer.Adam(lr=0.003)
    began, passes = [model.compute_loss(STIMULUS, RESPONSE).sum()], []
    with pytest.raises(FitError, match=r"diverged.*best ones so far"):
        for step in model.fit(STIMULUS, RESPONSE, dt=40, epochs=60):
            if step.ends_epoch:
                began.append(model.compute_loss(STIMULUS, RESPONSE).sum())
                passes.append(step.epoch)
            if step.ends_epoch and step.epoch == 4:
                model.set_optimizer.SGD(lr=1e-2)
    assert len(passes) >= 6 and began[-1] > 1e5 * began[0]
    assert model.compute_loss(STIMULUS, RESPONSE).sum() == began[4] < began[0]


COUNTS = np.random.default_rng(0).poisson(1.0, RESPONSE.shape)


def changed(values: np.ndarray, at: int, value: float) -> np.ndarray:  # type: ignore[type-arg]
    copied = np.array(values, dtype=float)
    copied[at] = value
    return copied


@pytest.mark.parametrize(
    ("stimulus", "target", "says"),
    [
        (changed(STIMULUS, 77, np.nan), COUNTS, "NaN or infinite, the first in frame 77"),
        (STIMULUS, changed(COUNTS, 77, np.inf), "NaN or infinite, the first in frame 77"),
        (STIMULUS, changed(COUNTS, 77, -1), "whole numbers of at least 0, got -1"),
        (STIMULUS, changed(COUNTS, 77, 0.5), "whole numbers of at least 0, got 0.5"),
    ],
)
def test_data_that_cannot_be_are_refused_before_any_update(
    model: convis.models.LN, stimulus: Any, target: Any, says: str
) -> None:
    model.set_optimizer.Adam()
    kept = model.get_parameters()
    with pytest.raises((FitError, ShapeError), match=says):
        fit(model, stimulus, target, dt=10, loss_fn=poisson_loss)
    assert_unchanged(model, kept)


@pytest.mark.parametrize(
    ("frames", "stimulus", "target", "says"),
    [
        (80, STIMULUS, 0 * COUNTS, "no spikes"),
        (80, 0 * STIMULUS + 3.0, COUNTS, "input is constant"),
        (4, STIMULUS, COUNTS, "6 frames is longer than the recording of 4"),
    ],
)
def test_data_that_tell_nothing_are_warned_of_before_any_update(
    frames: int, stimulus: Any, target: Any, says: str
) -> None:
    model = convis.models.LN(kernel_dim=(6, 3, 3))
    model.set_optimizer.Adam()
    with pytest.warns(UserWarning, match=says):
        fit(model, stimulus[:frames], target[:frames], loss_fn=poisson_loss)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"loss_fn": "mse"}, "function of response and target, got 'mse'"),
        ({"loss_fn": lambda a, b: a - b}, r"one number.*gave a tensor of shape \(1, 1, 80"),
        ({"loss_fn": lambda a, b: 1.0}, "one number.*gave a float"),
        ({"t_skip": 80}, "leaves none of 80 frames"),
    ],
)
def test_options_that_leave_nothing_to_fit_are_refused(
    model: convis.models.LN, options: dict[str, Any], says: str
) -> None:
    model.set_optimizer.Adam()
    with pytest.raises(FitError, match=says):
        model.optimize(STIMULUS, RESPONSE, **options)


def test_a_fit_that_diverges_gives_the_parameters_back(model: convis.models.LN) -> None:
    model.set_optimizer.SGD(lr=1e38)
    kept = model.get_parameters()
    with pytest.raises(FitError, match=r"diverged.*smaller learning rate"):
        model.optimize(STIMULUS, RESPONSE, dt=40)
    assert_unchanged(model, kept)


@pytest.mark.parametrize("error", [ValueError("bad weather"), KeyboardInterrupt()])
def test_an_error_in_a_step_gives_the_parameters_back(model: convis.models.LN, error: BaseException) -> None:
    calls: Iterator[int] = iter(range(100))

    def loss(response: Tensor, target: Tensor) -> Tensor:
        if next(calls) == 5:  # in the middle of a line search
            raise error
        return (response - target).square().sum()

    model.set_optimizer.LBFGS()
    kept = model.get_parameters()
    with pytest.raises((FitError, KeyboardInterrupt)) as caught:
        model.optimize(STIMULUS, RESPONSE, dt=80, loss_fn=loss)
    assert_unchanged(model, kept)
    if isinstance(error, ValueError):
        assert "bad weather" in str(caught.value) and caught.value.__cause__ is error


def test_spikes_have_no_gradient_and_that_is_said() -> None:
    neuron = convis.filters.spiking.LeakyIntegrateAndFireNeuron(seed=1)
    neuron.set_optimizer.Adam()
    with pytest.raises(FitError, match=r"no gradient.*before the spikes of a LeakyIntegrateAndFireNeuron"):
        neuron.optimize(100.0 + STIMULUS[:20], np.zeros(STIMULUS[:20].shape))


@pytest.mark.parametrize(
    ("stimulus", "response", "message"),
    [
        (STIMULUS, RESPONSE[:-1], "as many frames, got 80 and 79"),
        (STIMULUS, RESPONSE[:0], "target of the fit has no frames"),
        (STIMULUS[:0], RESPONSE, "input of the fit has no frames"),
        (convis.streams.RandomStream(size=(8, 8)), RESPONSE, "input again and again, so it cannot be endless"),
    ],
)
def test_data_that_do_not_match(model: convis.models.LN, stimulus: Any, response: Any, message: str) -> None:
    model.set_optimizer.Adam()
    with pytest.raises(FitError, match=message):
        model.fit(stimulus, response)


def test_targets_of_another_size_or_with_holes(model: convis.models.LN) -> None:
    with pytest.raises(ShapeError, match="x 8 against 7"):
        model.compute_loss(STIMULUS, RESPONSE[:, :7])
    holes = RESPONSE.copy()
    holes[50] = np.nan
    with pytest.raises(ShapeError, match=r"The target has 64 values .* first in frame 50"):
        model.compute_loss(STIMULUS, holes, dt=30)
    with pytest.raises(ConvisError):
        model.compute_loss(STIMULUS, None)


def test_a_time_series_against_an_image_warns_at_the_users_line() -> None:
    cell = convis.models.LN(kernel_dim=(6, 8, 8), population=False)
    cell.set_optimizer.SGD(lr=1e-9)
    with pytest.warns(UserWarning, match="population=True") as warned:
        cell.optimize(STIMULUS, RESPONSE, dt=40)
    assert {w.filename for w in warned} == {__file__}
    cell.compute_loss(STIMULUS, RESPONSE[:, 3, 3])


def test_a_step_is_a_value() -> None:
    model = Gain()
    model.set_optimizer.SGD()
    step = next(model.fit(STIMULUS, RESPONSE))
    with pytest.raises(AttributeError):
        step.loss = 1.0  # type: ignore[misc]
