"""The filter that a retina shows is the one it applies: that of its outer plexiform layer."""

from __future__ import annotations

import torch

from convis_core.filters import Conv3d
from convis_core.retina import RecursiveOPLFilter, Retina


def test_convolution_with_the_kernel_is_what_the_layer_does() -> None:
    layer = RecursiveOPLFilter(undershoot_tau_center=0.02)
    layer.run(torch.rand(10, 5, 5))
    kept = layer.get_state()
    kernel = layer.kernel()
    assert kernel.shape == (1, 1, 100, 11, 11)
    assert all(bool((kept[name] == value).all()) for name, value in layer.get_state().items())
    layer.clear_state()
    frames = torch.randn(200, 15, 15, generator=torch.Generator().manual_seed(1))
    conv = Conv3d(kernel_dim=kernel.shape, bias=False)
    conv.set_weight(kernel)
    shown, done = (torch.as_tensor(model.run(frames).array())[0, 0, 120:, 7, 7] for model in (conv, layer))
    assert float((shown - done).abs().max()) < 0.02 * float(done.abs().max())


def test_a_retina_shows_the_filter_of_its_outer_plexiform_layer() -> None:
    retina = Retina(seed=1)
    assert bool((retina.kernel() == retina.opl.kernel()).all())
    assert retina.kernel_unit == "", "it is no current: what comes after is not linear"
