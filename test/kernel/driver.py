"""Lets the kernel's tests speak JSON: makes the bytes of a request, and describes the reply. Test code only."""

import json
import marshal
import math
import struct
import textwrap

from _brumate.link import dispatch


def run(request):
    request = _encode(json.loads(request))
    reply = dispatch(request)
    status, delay = struct.unpack_from("<Bd", reply)
    payload = marshal.loads(reply[9:], allow_code=False)
    return json.dumps(_describe(status, delay, payload)).encode()


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


def _marshal(request):
    # Python source of the value, so that a test can send what JSON has no form for.
    return marshal.dumps((eval(request["value"]), eval(request.get("fixups", "[]"))), 2)


def _describe(status, delay, payload):
    if status == 1:
        calls = [{"id": id, "name": name, "arguments": repr(arguments)} for id, name, arguments in payload]
        return {"waiting": True, "delay": delay if math.isfinite(delay) else None, "calls": calls}
    ok, *rest = payload
    if not ok:
        type_name, message, traceback = rest
        return {"waiting": False, "ok": False, "type": type_name, "message": message, "traceback": traceback}
    if len(rest) == 3:
        text, value, display = rest
        shown = {mime: data if isinstance(data, str) else repr(data) for mime, data in display.items()}
        value = None if value is ... else repr(value)
        return {"waiting": False, "ok": True, "repr": text, "value": value, "display": shown}
    return {"waiting": False, "ok": True, "value": repr(rest[0]) if rest else None}
