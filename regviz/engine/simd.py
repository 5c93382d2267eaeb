"""A SIMD vector type for code that Numba compiles: one value of several networks at once.

LLVM vectorizes a loop over networks only if it can prove that no two arrays overlap. A vector type
needs no such proof: each operation below is one vector operation of LLVM IR, and formulas are
written as for one network. https://llvm.org/docs/LangRef.html#vector-type

A vector has `NETWORKS` elements (one for each network) or `TILE` (one for each network at each of
`POINTS` points). In an operation on one of each, the shorter is repeated for each point. All
operations are elementwise, so a network's numbers do not depend on its neighbours'.
"""

import math
import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import intrinsic, models, overload, register_model

from regviz.engine.layout import NETWORKS, POINTS

TILE = POINTS * NETWORKS

# a * b + c may be rounded once (FMA); of LLVM's fast-math flags, none that ignores NaN or infinity
_FLAGS = ("contract",)


class Vector(types.Type):
    """Numba type of a vector with ``count`` elements of type ``dtype``."""

    def __init__(self, dtype: Any, count: int) -> None:
        self.dtype, self.count = dtype, count
        super().__init__(name=f"Vector({dtype}, {count})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Vector) -> None:
        element = ir.IntType(1) if vector.dtype == types.boolean else _float(vector)
        super().__init__(manager, vector, ir.VectorType(element, vector.count))


def _float(vector: Vector) -> ir.Type:
    return ir.FloatType() if vector.dtype == types.float32 else ir.DoubleType()


def _shuffled(builder: Any, value: Any, indices: list[int]) -> Any:
    """Emit a vector of the elements of ``value`` at ``indices``."""
    mask = ir.Constant(ir.VectorType(ir.IntType(32), len(indices)), indices)
    return builder.shuffle_vector(value, ir.Constant(value.type, ir.Undefined), mask)


def _repeated(context: Any, builder: Any, value: Any, kind: types.Type, vector: Vector) -> Any:
    """Emit the conversion of a scalar or a shorter vector to a vector type, by repetition."""
    if isinstance(kind, Vector):
        if kind.count == vector.count:
            return value
        return _shuffled(builder, value, [i % kind.count for i in range(vector.count)])
    value = context.cast(builder, value, kind, vector.dtype)
    one = ir.Constant(ir.VectorType(value.type, 1), ir.Undefined)
    one = builder.insert_element(one, value, ir.Constant(ir.IntType(32), 0))
    return _shuffled(builder, one, [0] * vector.count)


def _widest(*kinds: types.Type) -> Any:
    vectors = [kind for kind in kinds if isinstance(kind, Vector) and kind.dtype != types.boolean]
    return max(vectors, key=lambda vector: vector.count, default=None)


def _operator(function: Callable[..., Any], emit: Callable[[Any, Any, Any], Any]) -> None:
    """Define a Python operator for two vectors, or a vector and a number."""
    compares = function in (operator.lt, operator.le, operator.gt, operator.eq)

    @intrinsic
    def compute(typing: Any, a: types.Type, b: types.Type) -> Any:
        vector = _widest(a, b)
        result = Vector(types.boolean, vector.count) if compares else vector

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pair = zip(arguments, signature.args, strict=True)
            return emit(builder, *[_repeated(context, builder, *one, vector) for one in pair])

        return result(a, b), generate

    @overload(function)
    def overloaded(a, b):
        return (lambda a, b: compute(a, b)) if _widest(a, b) else None


_operator(operator.add, lambda builder, a, b: builder.fadd(a, b, flags=_FLAGS))
_operator(operator.sub, lambda builder, a, b: builder.fsub(a, b, flags=_FLAGS))
_operator(operator.mul, lambda builder, a, b: builder.fmul(a, b, flags=_FLAGS))
_operator(operator.truediv, lambda builder, a, b: builder.fdiv(a, b, flags=_FLAGS))
_operator(operator.lt, lambda builder, a, b: builder.fcmp_ordered("<", a, b))
_operator(operator.le, lambda builder, a, b: builder.fcmp_ordered("<=", a, b))
_operator(operator.gt, lambda builder, a, b: builder.fcmp_ordered(">", a, b))
_operator(operator.eq, lambda builder, a, b: builder.fcmp_ordered("==", a, b))


@intrinsic
def where(typing: Any, condition: Vector, a: types.Type, b: types.Type) -> Any:
    """Select elements of ``a`` where the condition holds, else of ``b``: vectors or numbers."""
    vector = _widest(a, b)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pair = zip(arguments[1:], signature.args[1:], strict=True)
        given = [_repeated(context, builder, *one, vector) for one in pair]
        return builder.select(arguments[0], *given)

    return vector(condition, a, b), generate


def _call(builder: Any, name: str, vector: Vector, *arguments: Any) -> Any:
    """Emit the call of an LLVM intrinsic in its variant for a vector type."""
    kind = arguments[0].type
    name = f"{name}.v{vector.count}f{vector.dtype.bitwidth}"
    signature = ir.FunctionType(kind, [kind] * len(arguments))
    function = cgutils.get_or_insert_function(builder.module, signature, name)
    return builder.call(function, arguments)


def _elementwise(name: str) -> Any:
    """Return a Numba intrinsic that calls a unary LLVM intrinsic."""

    @intrinsic
    def unary(typing: Any, x: Vector) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return _call(builder, name, x, *arguments)

        return x(x), generate

    return unary


square_root, absolute = _elementwise("llvm.sqrt"), _elementwise("llvm.fabs")


@intrinsic
def filled(typing: Any, like: Vector, number: types.Type) -> Any:
    """Return a vector of the type of ``like`` with all elements equal to ``number``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _repeated(context, builder, arguments[1], signature.args[1], like)

    return like(like, number), generate


@intrinsic
def with_sign_of(typing: Any, size: types.Type, x: Vector) -> Any:
    """Return ``size``, positive, with the signs of the elements of ``x``, a zero's included."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        spread = _repeated(context, builder, arguments[0], signature.args[0], x)
        return _call(builder, "llvm.copysign", x, spread, arguments[1])

    return x(size, x), generate


# ------------------------------------------------------------------------------ memory


def _memory(count: int, store: bool) -> Any:
    """Return an intrinsic that loads or stores elements ``i * count`` to ``(i + 1) * count - 1``.

    ``load(array, i)`` returns a vector; ``save(array, i, value)`` writes one. The array is
    contiguous.
    """

    def pointer(context: Any, builder: Any, array: types.Array, value: Any, i: Any) -> Any:
        data = context.make_array(array)(context, builder, value).data
        element = ir.FloatType() if array.dtype == types.float32 else ir.DoubleType()
        first = builder.gep(data, [builder.mul(i, ir.Constant(i.type, count))])
        return builder.bitcast(first, ir.VectorType(element, count).as_pointer())

    @intrinsic
    def load(typing: Any, array: Any, i: types.Type) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            address = pointer(context, builder, signature.args[0], *arguments)
            return builder.load(address, align=array.dtype.bitwidth // 8)

        return Vector(array.dtype, count)(array, types.intp), generate

    @intrinsic
    def save(typing: Any, array: Any, i: types.Type, value: types.Type) -> Any:
        vector = Vector(array.dtype, count)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            address = pointer(context, builder, signature.args[0], *arguments[:2])
            value = _repeated(context, builder, arguments[2], signature.args[2], vector)
            builder.store(value, address, align=array.dtype.bitwidth // 8)
            return context.get_dummy_value()

        return types.none(array, types.intp, value), generate

    return save if store else load


networks, set_networks = _memory(NETWORKS, False), _memory(NETWORKS, True)
tile, set_tile = _memory(TILE, False), _memory(TILE, True)


@intrinsic
def add_points(typing: Any, total: Vector, x: Vector) -> Any:
    """Add the `POINTS` parts of a tile to ``total``, in the order of the points."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        total, x = arguments
        for first in range(0, TILE, NETWORKS):
            one = _shuffled(builder, x, list(range(first, first + NETWORKS)))
            total = builder.fadd(total, one, flags=_FLAGS)
        return total

    return total(total, x), generate


# ------------------------------------------------------------------------------ tanh and exp


def _one_by_one(function: Callable[[float], float]) -> Any:
    """Return an intrinsic that calls a scalar function of the C library for each element."""

    @intrinsic
    def compute(typing: Any, x: Vector) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            result = arguments[0]
            for i in range(x.count):
                place = ir.Constant(ir.IntType(32), i)
                element = builder.extract_element(arguments[0], place)
                value = context.compile_internal(
                    builder, lambda x: function(x), x.dtype(x.dtype), [element]
                )
                result = builder.insert_element(result, value, place)
            return result

        return x(x), generate

    return compute


_exact_exp, _exact_tanh = _one_by_one(math.exp), _one_by_one(math.tanh)


@intrinsic
def _power_of_two(typing: Any, x: Vector) -> Any:
    """Return ``2^n`` from the float32 number ``n + 127 + 1.5 * 2^23``.

    The lowest bits of that number are ``n + 127``, the biased exponent of ``2^n``.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        integers = ir.VectorType(ir.IntType(32), x.count)
        bits = builder.bitcast(arguments[0], integers)
        exponent = builder.shl(bits, ir.Constant(integers, [23] * x.count))
        return builder.bitcast(exponent, arguments[0].type)

    return x(x), generate


_SHIFT = 1.5 * 2**23 + 127


def _normal_exp(x: Any) -> Any:
    """Return the exponential of float32 numbers from -87 to 0, with a relative error of 2e-7."""
    raise NotImplementedError


@overload(_normal_exp)
def _exp_where_normal(x):
    def approximation(x):
        # x = n log(2) + r, with the polynomial of Cephes' expf for r (netlib.org/cephes)
        shifted = x * 1.44269504088896341 + _SHIFT
        n = shifted - _SHIFT
        r = x - n * 0.693359375 + n * 2.12194440e-4
        p = r * 1.9875691500e-4 + 1.3981999507e-3
        p = p * r + 8.3334519073e-3
        p = p * r + 4.1665795894e-2
        p = p * r + 1.6666665459e-1
        p = p * r + 5.0000001201e-1
        return (p * r * r + r + 1.0) * _power_of_two(shifted)

    return approximation


def exp(x: Any) -> Any:
    """Return the exponential of numbers up to 0.

    In float32 the relative error is 2e-7, and the result is 0 below -87, where it approaches the
    subnormal numbers. In float64 it is the C library's.
    """
    raise NotImplementedError


@overload(exp)
def _exp(x):
    if x.dtype == types.float64:
        return lambda x: _exact_exp(x)

    return lambda x: where(x < -87.0, 0.0, _normal_exp(where(x < -87.0, -87.0, x)))


def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent: in float32 to 2e-7 (relative), in float64 the C library's."""
    raise NotImplementedError


@overload(tanh)
def _tanh(x):
    if x.dtype == types.float64:
        return lambda x: _exact_tanh(x)

    def approximation(x):
        # as Cephes' tanhf: a polynomial below 0.625, and the exponential above
        size = absolute(x)
        # tanh rounds to 1 in float32 from 9.01 on
        e = _normal_exp(where(size > 10.0, 10.0, size) * -2.0)
        s = x * x
        p = s * -5.70498872745e-3 + 2.06390887954e-2
        p = p * s - 5.37397155531e-2
        p = p * s + 1.33314422036e-1
        p = p * s - 3.33332819422e-1
        far = with_sign_of((1.0 - e) / (1.0 + e), x)
        return where(size < 0.625, p * s * x + x, far)

    return approximation
