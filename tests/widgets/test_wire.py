"""Parts: what is merged, what is replaced, and what travels."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convis_core.errors import ShapeError
from convis_widgets.live.wire import CHUNKS, Part, make_part, pack


def spikes(*cells: int, **fields: object) -> Part:
    return make_part("raster", fields, {"time": np.array(cells, float), "cell": cells}, append=("time", "cell"))


def cells_of(part: Part) -> list[int]:
    return [int(cell) for chunk in part.appended["cell"] for cell in chunk]


def test_newer_fields_and_arrays_replace_older_ones() -> None:
    old = make_part("v", {"a": 1, "b": 1}, {"frame": [[1.0]], "extra": [1.0]})
    new = make_part("v", {"b": 2}, {"frame": [[2.0]]})
    merged = old.merged(new)
    assert merged.fields == {"a": 1, "b": 2}
    assert merged.arrays["frame"].item() == 2.0
    assert "extra" in merged.arrays


@given(st.lists(st.lists(st.integers(0, 1000), max_size=5), min_size=1, max_size=8))
def test_events_are_never_lost_nor_reordered(batches: list[list[int]]) -> None:
    merged = spikes(*batches[0])
    for batch in batches[1:]:
        merged = merged.merged(spikes(*batch))
    assert cells_of(merged) == [cell for batch in batches for cell in batch]
    assert merged.n_events == sum(map(len, batches))


def test_a_reset_forgets_what_was_appended_before_it_but_not_what_came_with_it() -> None:
    assert cells_of(spikes(1, 2).merged(spikes(3, reset=True)).merged(spikes(4))) == [3, 4]


@given(st.integers(0, 40), st.integers(1, 40))
def test_the_newest_events_stay_and_the_others_are_counted(n: int, limit: int) -> None:
    kept = spikes(*range(n)).newest(limit)
    assert cells_of(kept) == list(range(max(0, n - limit), n))
    assert kept.fields.get("dropped", 0) == max(0, n - limit)


def test_dropped_events_add_up() -> None:
    assert spikes(1, 2, 3).newest(2).merged(spikes(4)).newest(1).fields["dropped"] == 3


def test_one_more_chunk_costs_the_same_after_thousands_of_them_and_at_the_limit() -> None:
    """A page that is hidden takes nothing for hours, and the run must not slow down for that."""
    kept = spikes(0)
    for cell in range(1, 5 * CHUNKS):
        kept = kept.merged(spikes(cell)).newest(4 * CHUNKS)
        assert len(kept.appended["cell"]) <= CHUNKS
    assert cells_of(kept) == list(range(CHUNKS, 5 * CHUNKS))
    assert kept.fields["dropped"] == CHUNKS
    (whole,) = spikes(*range(1000)).newest(999).appended["cell"]
    assert whole.base is not None, "the oldest are left out without copying the others"


def test_arrays_are_copied_so_that_a_buffer_may_be_used_again() -> None:
    frame = np.zeros((2, 2), np.float32)
    part = make_part("v", arrays={"frame": frame})
    frame[:] = 7
    assert part.arrays["frame"].max() == 0


@pytest.mark.parametrize(
    ("given_type", "sent"), [("int64", "int32"), ("bool", "uint8"), ("float16", "float32"), ("float64", "float64")]
)
def test_types_that_a_page_does_not_have_are_narrowed(given_type: str, sent: str) -> None:
    assert make_part("v", arrays={"a": np.ones(3, given_type)}).arrays["a"].dtype == sent


def test_event_lists_of_different_length_are_refused() -> None:
    with pytest.raises(ShapeError, match="one length"):
        make_part("v", arrays={"time": [1.0, 2.0], "cell": [1]}, append=("time", "cell"))


def test_packed_parts_are_json_and_buffers_that_give_the_arrays_back() -> None:
    frame = np.arange(6, dtype=np.float32).reshape(2, 3)[:, ::-1]  # not contiguous
    part = make_part("v", {"now": np.float32(0.5), "rate": float("nan"), "window": (0.0, 1.0)}, {"frame": frame})
    headers, buffers = pack([part, spikes(5, 6).merged(spikes(7)), make_part("w", arrays={"none": np.empty((0, 3))})])
    headers = json.loads(json.dumps(headers, allow_nan=False))
    assert headers[0]["fields"] == {"now": 0.5, "rate": None, "window": [0.0, 1.0]}
    header = headers[0]["arrays"][0]
    sent = np.frombuffer(buffers[header["buffer"]], header["dtype"]).reshape(header["shape"])
    np.testing.assert_array_equal(sent, frame)
    cell = next(array for array in headers[1]["arrays"] if array["name"] == "cell")
    assert cell["append"] and cell["shape"] == [3]
    assert np.frombuffer(buffers[cell["buffer"]], cell["dtype"]).tolist() == [5, 6, 7]
    assert headers[2]["arrays"][0]["shape"] == [0, 3] and len(buffers[headers[2]["arrays"][0]["buffer"]]) == 0
