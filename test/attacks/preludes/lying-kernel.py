# `lie(body)`: from the next call on, the kernel's dispatch runs `body`. The host holds its address, so it is the same function with
# other code.
import sys
def lie(body):
    source = '''
def evil(request):
    import marshal, struct
    def reply(status, payload, delay=0.0):
        return struct.pack('<Bd', status, delay) + payload
    def outcome(*items):
        return reply(0, marshal.dumps(items, 2))
    def value(encoded):
        return reply(0, b'(\\x04\\0\\0\\0TN' + encoded + b'{0')
    def length(count):
        return struct.pack('<i', count)
    def many(kind, count, unit, size=1):
        # Copied once, so that as much as possible fits into the session's memory.
        parts = [unit * 1000] * (count // 1000)
        return b''.join([struct.pack('<Bd', 0, 0.0), b'(\\x04\\0\\0\\0TN', kind, length(count * size), *parts, b'{0'])
'''
    for line in body.split('\n'):
        source += '    ' + line + '\n'
    names = {}
    exec(source, names)
    sys.modules['_brumate.link'].dispatch.__code__ = names['evil'].__code__
