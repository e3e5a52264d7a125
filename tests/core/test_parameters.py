"""A parameter is set in place, checked against its declaration, and never replaced."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import convis_core as convis
from convis_core import ConvisError, Layer, parameter
from convis_core.errors import ParameterError, UnknownNameError


class LowPass(Layer, register=False):
    tau = parameter(0.01, unit="s", bounds=(1e-4, 1.0), slider=(0.001, 0.1), scale="log", doc="time constant")
    gain = parameter(1.0, doc="factor of the output")
    weight = parameter(bounds=(-1.0, 1.0), doc="weight of each frame")

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self.weight = torch.zeros(3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.gain * x


def test_assigning_sets_the_same_parameter() -> None:
    layer = LowPass()
    tau = layer.tau
    assert isinstance(tau, nn.Parameter)
    layer.gain.grad = torch.tensor(3.0)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    layer.tau = 0.02
    layer.gain = np.float64(5)
    layer.p.tau = 0.03
    layer.p.tau.set("4e-2")
    assert layer.tau is tau is layer._parameters["tau"] is layer.p.tau.tensor
    assert float(tau.detach()) == pytest.approx(0.04)
    assert layer.gain.requires_grad and layer.gain.grad == 3.0
    optimizer.step()
    assert float(layer.gain.detach()) == pytest.approx(5 - 0.3)


def test_another_parameter_is_copied_not_adopted() -> None:
    layer, other = LowPass(), nn.Parameter(torch.tensor(0.5))
    tau = layer.tau
    layer.tau = other
    assert layer.tau is tau and layer.tau is not other
    assert float(layer.tau.detach()) == 0.5
    layer.tau = LowPass(tau=0.25).p.tau
    assert float(layer.tau.detach()) == 0.25


@pytest.mark.parametrize("value", [np.float64(0.5), np.array([0.5]), torch.tensor(0.5, dtype=torch.float64), "0.5"])
def test_a_new_layer_has_the_default_precision(value: object) -> None:
    assert LowPass(tau=value).tau.dtype == torch.float32


def test_precision_is_kept_when_set() -> None:
    layer = LowPass().double()
    layer.tau = 0.1
    assert layer.tau.dtype == torch.float64 and float(layer.tau.detach()) == 0.1


def test_a_bound_read_back_in_single_precision_can_be_set_again() -> None:
    layer = convis.filters.CentreSurroundFilter(duration=0.01, extent=0.1)
    for handle in layer.p:
        for bound in handle.bounds:
            handle.set(bound)
            handle.set(handle.value)
            handle.set(float(handle))


@pytest.mark.parametrize("value", [2.0, 0.0, -1e-9, 1e30, np.array(1.5)])
def test_out_of_bounds_names_value_bounds_and_unit(value: float) -> None:
    layer = LowPass()
    with pytest.raises(ParameterError) as caught:
        layer.tau = value
    text = str(caught.value)
    for part in ("LowPass.tau", f"{float(value):g} s", "0.0001", "and 1 s"):
        assert part in text
    assert float(layer.tau.detach()) == pytest.approx(0.01)


@pytest.mark.parametrize("value", [math.nan, math.inf, "nan"])
def test_what_is_not_finite_is_refused(value: object) -> None:
    with pytest.raises(ParameterError, match="finite"):
        LowPass().tau = value


@pytest.mark.parametrize("value", ["fast", None, [0.1, 0.2], torch.zeros(0), 1j, {}])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(ConvisError):
        LowPass().tau = value


def test_arrays_keep_their_shape() -> None:
    layer = LowPass()
    layer.weight = [0.1, 0.2, 0.3]
    layer.weight = 0.5
    np.testing.assert_array_equal(np.asarray(layer.p.weight), np.full(3, 0.5, dtype=np.float32))
    with pytest.raises(ParameterError, match=r"has shape \[3\], got \[2\]"):
        layer.weight = [0.1, 0.2]
    with pytest.raises(ParameterError, match="values from -2 to 3"):
        layer.weight = [-2, 0, 3]


def test_unknown_initial_values_are_refused_with_a_list() -> None:
    with pytest.raises(UnknownNameError, match=r"no parameter tao.*There are: tau, gain, weight"):
        LowPass(tao=1.0)


@settings(max_examples=50, deadline=None)
@given(st.floats(1e-4, 1.0))
def test_every_value_within_bounds_is_taken(value: float) -> None:
    layer = LowPass()
    layer.tau = value
    assert float(layer.tau.detach()) == pytest.approx(value, rel=1e-6)


def test_the_declaration_carries_everything() -> None:
    tau = LowPass.declarations()["tau"]
    assert LowPass.tau is tau
    assert list(LowPass.declarations()) == ["tau", "gain", "weight"]
    assert (tau.unit, tau.bounds, tau.range, tau.scale) == ("s", (1e-4, 1.0), (0.001, 0.1), "log")
    assert tau.describe() == "time constant (s, 0.0001 to 1)"
    gain = LowPass.declarations()["gain"]
    assert gain.range is None and gain.describe() == "factor of the output"


def test_a_subclass_redeclares() -> None:
    class Slow(LowPass, register=False):
        tau = parameter(0.5, unit="s", bounds=(0.1, 1.0), doc="a longer time constant")

    assert float(Slow().tau.detach()) == 0.5
    assert Slow().p.tau.bounds == (0.1, 1.0)


@pytest.mark.parametrize(
    "value", [1j, Decimal("0.5"), {}, object(), [[1.0], [2.0, 3.0]]], ids=lambda v: type(v).__name__
)
def test_what_is_no_number_is_refused_with_the_name_of_the_parameter(value: object) -> None:
    layer = LowPass()
    with pytest.raises(ParameterError, match=r"LowPass\.tau expects a number in s, got"):
        layer.tau = value
    with pytest.raises(ParameterError, match=r"LowPass\.weight expects an array of real numbers, got"):
        layer.p.weight = value


def test_one_number_sets_all_of_an_array_however_many_axes_it_has() -> None:
    layer = LowPass()
    for value in (0.5, [0.25], np.full((1, 1, 1, 1), -0.5), torch.tensor([[0.75]])):
        layer.weight = value
        assert layer.weight.tolist() == [float(np.ravel(value)[0])] * 3
