"""Lets the kernel's tests speak JSON: makes the bytes of a request, and describes the reply. Test code only."""

import builtins
import json
import marshal
import math
import struct
import sys
import textwrap

from _brumate.link import dispatch


def run(request):
    request = json.loads(request)
    encoded = _encode(request)
    kept = _trap(request.get("traps", ()))
    try:
        reply = dispatch(encoded)
    finally:
        vars(builtins).update(kept)
    status, delay = struct.unpack_from("<Bd", reply)
    if status == 3:
        return json.dumps(_described(delay, reply[9:])).encode()
    payload = marshal.loads(reply[9:], allow_code=False)
    return json.dumps(_describe(status, delay, payload)).encode()


def _trap(names):
    """Replaces builtins, as hostile code could, by a function that notes in `__main__.ran` that it was called."""

    def trap(*args, **kwargs):
        sys.modules["__main__"].ran.append(args)
        raise SystemExit

    space = vars(builtins)
    kept = {name: space[name] for name in names}
    for name in names:
        space[name] = trap
    return kept


def _encode(request):
    match request["op"]:
        case "execute":
            code = textwrap.dedent(request["code"]).strip("\n")
            try:
                flags, text = 0, code.encode()
            except UnicodeEncodeError:
                flags, text = 1, code.encode("utf-16-le", "surrogatepass")
            return struct.pack("<BIB", 1, request["count"], flags) + text
        case "step":
            return b"\x02"
        case "answer":
            return struct.pack("<BIB", 3, request["id"], request["ok"]) + _marshal(request)
        case "get":
            return b"\x04" + request["name"].encode()
        case "set":
            name = request["name"].encode()
            return struct.pack("<BI", 5, len(name)) + name + _marshal(request)
        case "clear":
            return b"\x06"
        case "attach":
            return b"\x07" + marshal.dumps({"env": request["env"], "callbacks": request["callbacks"]}, 2)
        case "interrupt":
            return b"\x08"
        case "describe":
            return struct.pack("<BI", 9, request["maxValueBytes"])
        case "callbacks":
            return b"\x0b" + marshal.dumps(request["callbacks"], 2)
        case "restored":
            return b"\x0a" + marshal.dumps({"env": {"IGNORED": "1"}, "callbacks": request["callbacks"]}, 2)


def _marshal(request):
    # Python source of the value, so that a test can send what JSON has no form for.
    return marshal.dumps((eval(request["value"]), eval(request.get("fixups", "[]"))), 2)


def _describe(status, delay, payload):
    if status == 1:
        calls = [{"id": id, "name": name, "arguments": repr(arguments)} for id, name, arguments in payload]
        return {"waiting": True, "delay": delay if math.isfinite(delay) else None, "calls": calls}
    ok, *rest = payload
    if not ok:
        type_name, message, traceback = rest[:3]
        return {"waiting": False, "ok": False, "type": type_name, "message": message, "traceback": traceback}
    if len(rest) >= 3:
        text, value, display = rest[:3]
        shown = {mime: data if isinstance(data, str) else repr(data) for mime, data in display.items()}
        value = None if value is ... else repr(value)
        return {"waiting": False, "ok": True, "repr": text, "value": value, "display": shown}
    return {"waiting": False, "ok": True, "value": repr(rest[0]) if rest else None}


def _described(delay, payload):
    (size,) = struct.unpack_from("<I", payload)
    description, values = payload[4 : 4 + size], payload[4 + size :]
    bytes_ = {"description": len(description), "values": len(values)}
    return {"delay": delay, "description": _unpack(description), "values": repr(_unpack(values)), "bytes": bytes_}


def _unpack(data):
    value, rest = _read(memoryview(data))
    assert not rest, "bytes after the document"
    return value


def _read(data):
    """A reader of msgpack, written from its specification. Maps with integer keys come back as they are."""
    code, data = data[0], data[1:]
    if code < 0x80 or code >= 0xE0:
        return (code if code < 0x80 else code - 0x100), data
    if code < 0xC0:
        size = code & (0x1F if code >= 0xA0 else 0x0F)
        return _read_map(data, size) if code < 0x90 else _read_array(data, size) if code < 0xA0 else _read_str(data, size)
    if code in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[code], data
    numbers = {0xCB: ">d", 0xCF: ">Q", 0xD3: ">q"}
    if code in numbers:
        return struct.unpack_from(numbers[code], data)[0], data[8:]
    width, reader = {
        0xC4: (1, _read_bin), 0xC5: (2, _read_bin), 0xC6: (4, _read_bin),
        0xD9: (1, _read_str), 0xDA: (2, _read_str), 0xDB: (4, _read_str), 0xDD: (4, _read_array), 0xDF: (4, _read_map),
    }[code]
    return reader(data[width:], int.from_bytes(data[:width], "big"))


def _read_bin(data, size):
    assert len(data) >= size
    return bytes(data[:size]), data[size:]


def _read_str(data, size):
    assert len(data) >= size
    return str(data[:size], "utf-8"), data[size:]


def _read_array(data, size):
    values = []
    for _ in range(size):
        value, data = _read(data)
        values.append(value)
    return values, data


def _read_map(data, size):
    values = {}
    for _ in range(size):
        key, data = _read(data)
        values[key], data = _read(data)
    return values, data
