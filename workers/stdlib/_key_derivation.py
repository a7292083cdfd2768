"""hashlib.pbkdf2_hmac and hashlib.scrypt in Python: CPython has them from OpenSSL, which a session does not have."""

import hashlib
import hmac

__all__ = ["pbkdf2_hmac", "scrypt"]

_MAX_LENGTH = 2**31 - 1
_DEFAULT_MAX_MEMORY = 32 * 1024 * 1024

# scrypt mixes 16 words of 32 bits, 4 at a time: a row of a block is one number with a word in every 64 bits, so that sums
# and rotations of a word have room.
_LANES = sum(0xFFFFFFFF << shift for shift in (0, 64, 128, 192))
_ROW = (1 << 256) - 1


def pbkdf2_hmac(hash_name, password, salt, iterations, dklen=None):
    """Password based key derivation function 2 (PKCS #5 v2.0) with HMAC as pseudorandom function."""
    if not isinstance(hash_name, str):
        raise TypeError(f"pbkdf2_hmac() argument 'hash_name' must be str, not {type(hash_name).__name__}")
    password, salt = bytes(memoryview(password)), bytes(memoryview(salt))
    try:
        size = hashlib.new(hash_name).digest_size
    except ValueError:
        raise ValueError(f"unsupported hash type {hash_name}") from None
    if iterations < 1:
        raise ValueError("iteration value must be greater than 0.")
    if iterations > _MAX_LENGTH:
        raise OverflowError("iteration value is too great.")
    if dklen is None:
        dklen = size
    if dklen < 1:
        raise ValueError("key length must be greater than 0.")
    if dklen > _MAX_LENGTH:
        raise OverflowError("key length is too great.")
    # The key's part of HMAC is done once. Python's own hmac does it for each message.
    inner, outer = _keyed(hash_name, password)
    key = b""
    for block in range(1, -(-dklen // size) + 1):
        last = _authenticated(inner, outer, salt + block.to_bytes(4, "big"))
        total = int.from_bytes(last)
        for _ in range(iterations - 1):
            first, second = inner.copy(), outer.copy()
            first.update(last)
            second.update(first.digest())
            last = second.digest()
            total ^= int.from_bytes(last)
        key += total.to_bytes(size)
    return key[:dklen]


def _keyed(hash_name, key):
    inner, outer = hashlib.new(hash_name), hashlib.new(hash_name)
    if len(key) > inner.block_size:
        key = hashlib.new(hash_name, key).digest()
    key = key.ljust(inner.block_size, b"\0")
    inner.update(key.translate(hmac.trans_36))
    outer.update(key.translate(hmac.trans_5C))
    return inner, outer


def _authenticated(inner, outer, message):
    first, second = inner.copy(), outer.copy()
    first.update(message)
    second.update(first.digest())
    return second.digest()


def scrypt(password, *, salt, n, r, p, maxmem=0, dklen=64):
    """scrypt password-based key derivation function (RFC 7914)."""
    password, salt = bytes(memoryview(password)), bytes(memoryview(salt))
    if n < 2 or n & (n - 1):
        raise ValueError("n must be a power of 2.")
    if r < 1 or p < 1 or r * p >= 2**30 or n >= 2 ** (16 * r):
        raise ValueError("Invalid parameter combination for n, r, p, maxmem.")
    if not 0 <= maxmem <= _MAX_LENGTH:
        raise ValueError(f"maxmem must be positive and smaller than {_MAX_LENGTH}")
    if not 1 <= dklen <= _MAX_LENGTH:
        raise ValueError(f"dklen must be greater than 0 and smaller than {_MAX_LENGTH}")
    if 128 * r * (n + p + 2) > (maxmem or _DEFAULT_MAX_MEMORY):
        raise ValueError("Invalid parameter combination for n, r, p, maxmem: memory limit exceeded")
    size = 128 * r
    blocks = pbkdf2_hmac("sha256", password, salt, 1, p * size)
    mixed = b"".join(_mixed(blocks[at : at + size], n, r) for at in range(0, p * size, size))
    return pbkdf2_hmac("sha256", password, mixed, 1, dklen)


def _mixed(block, n, r):
    rows = [row for at in range(0, len(block), 64) for row in _diagonals(block[at : at + 64])]
    seen = []
    for _ in range(n):
        seen.append(_packed(rows))
        _mix(rows, r)
    mask = n - 1
    last = 4 * (2 * r - 1)
    for _ in range(n):
        # The first word of the last part is enough: memory does not allow a larger n.
        other = seen[rows[last] & mask]
        rows = [row ^ part for row, part in zip(rows, _unpacked(other, len(rows)), strict=True)]
        _mix(rows, r)
    return b"".join(_words(rows[at : at + 4]) for at in range(0, len(rows), 4))


def _packed(rows):
    # Two rows in one: their words are of 32 bits in 64. One number takes less memory than a list of small ones.
    return b"".join((low | high << 32).to_bytes(32, "little") for low, high in zip(rows[::2], rows[1::2], strict=True))


def _unpacked(packed, count):
    rows = []
    for at in range(0, count * 16, 32):
        both = int.from_bytes(packed[at : at + 32], "little")
        rows += (both & _LANES, both >> 32 & _LANES)
    return rows


# Row i of a block has the words that a quarter round takes as its i-th, for all four quarter rounds on columns.
_PLACES = ((0, 5, 10, 15), (4, 9, 14, 3), (8, 13, 2, 7), (12, 1, 6, 11))


def _diagonals(part):
    words = [int.from_bytes(part[at : at + 4], "little") for at in range(0, 64, 4)]
    return [sum(words[place] << 64 * lane for lane, place in enumerate(places)) for places in _PLACES]


def _words(rows):
    words = [b""] * 16
    for row, places in zip(rows, _PLACES, strict=True):
        for lane, place in enumerate(places):
            words[place] = (row >> 64 * lane & 0xFFFFFFFF).to_bytes(4, "little")
    return b"".join(words)


def _mix(rows, r):
    """scryptBlockMix with Salsa20/8, in place."""
    lanes, row = _LANES, _ROW
    last = 4 * (2 * r - 1)
    a, b, c, d = rows[last : last + 4]
    even, odd = [], []
    for at in range(0, 8 * r, 4):
        a ^= rows[at]
        b ^= rows[at + 1]
        c ^= rows[at + 2]
        d ^= rows[at + 3]
        first, second, third, fourth = a, b, c, d
        for _ in range(4):
            # Quarter rounds on columns.
            t = (a + d & lanes) << 7
            b ^= (t | t >> 32) & lanes
            t = (b + a & lanes) << 9
            c ^= (t | t >> 32) & lanes
            t = (c + b & lanes) << 13
            d ^= (t | t >> 32) & lanes
            t = (d + c & lanes) << 18
            a ^= (t | t >> 32) & lanes
            # On rows: the same words, each in its place of another lane.
            b = b << 64 & row | b >> 192
            c = c << 128 & row | c >> 128
            d = d << 192 & row | d >> 64
            t = (a + b & lanes) << 7
            d ^= (t | t >> 32) & lanes
            t = (d + a & lanes) << 9
            c ^= (t | t >> 32) & lanes
            t = (c + d & lanes) << 13
            b ^= (t | t >> 32) & lanes
            t = (b + c & lanes) << 18
            a ^= (t | t >> 32) & lanes
            b = b << 192 & row | b >> 64
            c = c << 128 & row | c >> 128
            d = d << 64 & row | d >> 192
        a = a + first & lanes
        b = b + second & lanes
        c = c + third & lanes
        d = d + fourth & lanes
        (odd if at & 4 else even).extend((a, b, c, d))
    rows[:] = even + odd
