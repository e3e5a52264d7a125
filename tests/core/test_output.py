"""Responses by index, name and attribute; as arrays; joined; shown."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

from convis_core import Output, Resolution
from convis_core.errors import ShapeError, UnknownNameError


@pytest.fixture
def output() -> Output:
    on = torch.arange(24.0).reshape(1, 1, 6, 2, 2)
    return Output([on, -on], ["spikes_ON", "spikes_OFF"], Resolution(10, 200), start=4)


def test_every_way_in_leads_to_the_same_tensor(output: Output) -> None:
    assert output[0] is output.spikes_ON is output["spikes_ON"] is output[-2]
    assert output[1] is output.spikes_OFF
    assert len(output) == 2 and list(output) == [output[0], output[1]]
    assert {"spikes_ON", "spikes_OFF", "array"} <= set(dir(output))
    first, second = output
    assert first is output[0] and second is output[1]


def test_what_is_not_there(output: Output) -> None:
    for ask in (lambda: output[2], lambda: output["spikes"], lambda: output.spikes, lambda: output.array("x")):
        with pytest.raises(UnknownNameError, match="spikes_ON, spikes_OFF"):
            ask()
    assert not hasattr(output, "_ipython_display_")
    with pytest.raises(ShapeError, match="2 responses and 1 names"):
        Output([output[0], output[1]], ["one"])


def test_arrays_and_means(output: Output) -> None:
    assert output.array().shape == np.asarray(output).shape == (1, 1, 6, 2, 2)
    assert np.asarray(output, dtype=np.float64).dtype == np.float64
    np.testing.assert_allclose(output.mean((3, 4), k="spikes_OFF")[0, 0], -(4.0 * np.arange(6) + 1.5))
    assert float(output.mean()) == 11.5
    graph = Output([torch.ones(1, 1, 1, 1, 1, requires_grad=True)])
    assert graph.array() == 1.0 and not graph.detach()[0].requires_grad
    counts = Output([torch.full((1, 1, 4, 1, 1), True)])
    assert float(counts.mean()) == 1.0


def test_time_is_that_of_the_stream(output: Output) -> None:
    np.testing.assert_allclose(output.time, np.arange(4, 10) / 200)
    assert output.n_frames == 6


def test_parts_join_along_time(output: Output) -> None:
    parts = [
        Output([t[:, :, a:b] for t in output], output.names, output.resolution, 4 + a) for a, b in ((0, 1), (1, 6))
    ]
    joined = Output.concatenate(parts)
    assert torch.equal(joined[1], output[1])
    assert (joined.names, joined.start, joined.resolution) == (output.names, 4, output.resolution)
    assert Output.concatenate([output]) is output


def test_copies(output: Output) -> None:
    for twin in (copy.copy(output), copy.deepcopy(output), pickle.loads(pickle.dumps(output))):
        assert twin.names == output.names and torch.equal(twin.spikes_OFF, output.spikes_OFF)


def test_shown_as_text_and_table(output: Output) -> None:
    assert repr(output) == ("Output(spikes_ON [1, 1, 6, 2, 2], spikes_OFF [1, 1, 6, 2, 2]; 0.03 s at 200 Hz)")
    page = output._repr_html_()
    assert "6 frames, 0.03 s at 200 Hz" in page and "0, 11.5, 23" in page
    assert "<b>" not in Output([output[0]], ["<b>"])._repr_html_()
    assert "empty" in Output([torch.zeros(1, 1, 0, 2, 2)])._repr_html_()
    assert Output([output[0]] * 2).names == ("output_0", "output_1")


def test_it_holds_its_names_and_its_responses(output: Output) -> None:
    assert "spikes_ON" in output and "spikes" not in output and "array" not in output
    assert output.spikes_OFF in output and output.spikes_ON.clone() not in output and 3 not in output


def test_numpy_lacks_the_short_floats_of_torch() -> None:
    short = Output([torch.full((1, 1, 3, 2, 2), 0.5, dtype=torch.bfloat16)])
    assert short.array().dtype == np.float32 and float(short.mean()) == 0.5
