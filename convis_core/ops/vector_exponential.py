r"""An exponential that a compiled loop takes for several numbers at once.

The one of the C library is called number by number, which in a loop over pixels costs more
than all the rest. Here :math:`e^{-x} = 2^{-n} 2^{-f}` with `n` whole and :math:`|f| \le 1/2`:
a polynomial in `f`, and `n` written into the exponent's bits, so that no branch and no table
keeps the compiler from using wide registers.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convis_core.ops.compiled import compile_loop

__all__ = ["DecayConstants", "decay", "decay_constants"]

TERMS = 13
"""Of the polynomial, enough for double precision."""

DecayConstants = tuple[Any, ...]


@cache
def decay_constants(dtype: np.dtype[Any]) -> DecayConstants:
    """Numbers that `decay` needs, in the precision of the loop: mixed precisions would cost its speed."""
    # a number added to which another is rounded to a whole one, which then stands in the lowest bits
    rounding, most = (1.5 * 2.0**52, 1022.0) if dtype == np.float64 else (1.5 * 2.0**23, 126.0)
    series = [(-math.log(2.0)) ** k / math.factorial(k) for k in range(TERMS)]
    number = dtype.type
    return (number(1.0 / math.log(2.0)), number(rounding), number(most), *(number(c) for c in reversed(series)))


def _generate_two_to_minus(typing_context: Any, shifted: Any) -> Any:
    """2**-n from n + rounding, by writing -n into the exponent's bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide = signature.args[0] == types.float64
        integer = ir.IntType(64 if wide else 32)
        bias, mantissa, rounding = (1023, 52, 0x4338000000000000) if wide else (127, 23, 0x4B400000)
        bits = builder.bitcast(arguments[0], integer)
        exponent = builder.sub(ir.Constant(integer, bias + rounding), bits)
        return builder.bitcast(builder.shl(exponent, ir.Constant(integer, mantissa)), arguments[0].type)

    return shifted(shifted), generate


_two_to_minus: Any = intrinsic(_generate_two_to_minus)


@compile_loop
def decay(x: Any, c: DecayConstants) -> Any:
    """exp(-x) for x of at least 0, relative error below 1e-6 in single and 2e-15 in double precision."""
    y = x * c[0]
    y = y if y < c[2] else c[2]
    shifted = y + c[1]
    f = y - (shifted - c[1])
    p = ((((((c[3] * f + c[4]) * f + c[5]) * f + c[6]) * f + c[7]) * f + c[8]) * f + c[9]) * f
    p = (((((p + c[10]) * f + c[11]) * f + c[12]) * f + c[13]) * f + c[14]) * f + c[15]
    return p * _two_to_minus(shifted)
