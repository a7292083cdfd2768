// Programs that slots run before they serve a session. The first slot of an image runs all of them, so that V8 compiles the WebAssembly
// functions most sessions need, for all threads. Every other slot runs a few, so that its own JavaScript is compiled. Owns the programs;
// none of their effects remain (SlotService.warm reverts).

import { marshalText } from '../interpreter/link.js'

/** Marshal bytes of `{'env': {}, 'callbacks': []}`, the attach request of a session without options. */
export const EMPTY_SESSION = Uint8Array.from([
  ...[0x7b, ...marshalText('env'), 0x7b, 0x30],
  ...marshalText('callbacks'),
  ...[0x5b, 0, 0, 0, 0, 0x30],
])

export const WARM_UP = [
  `import json, re, math, datetime, collections, random
class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y
    def __repr__(self):
        return f"Point({self.x!r}, {self.y:.2f})"
points = [Point(i, i * 0.5) for i in range(50)]
print(points[1], sorted({p.x: str(p) for p in points}.items(), key=lambda pair: -pair[0])[0])
text = json.dumps({"a": [1, 2.5, None, True], "b": "é"}, indent=1)
print(re.sub(r"[0-9]+", lambda m: str(int(m[0]) + 1), text), json.loads(text) == {}, datetime.datetime(2024, 2, 29).isoformat())
print(collections.Counter("abracadabra").most_common(2), math.sqrt(2), 2 ** 200 % 97, "%05d" % 42, b"x".hex(), random.random() < 1)
with open("/tmp/warm-up", "w") as file:
    print("a,b", "1,2", sep=chr(10), file=file)
print(open("/tmp/warm-up").read().splitlines(), [*(i for i in range(3))], {1, 2} | {3}, (1, 2)[::-1])
{"points": len(points), "list": [1, 2.5, "x"]}`,
  `import asyncio
async def work(n):
    await asyncio.sleep(0)
    return n
await asyncio.gather(*[work(i) for i in range(3)])`,
  'def broken(values):\n    return values["missing"]\nbroken({})',
  'x = (',
  'x = 1',
]

export const BRIEF_WARM_UP = ['print("x")', 'x = 1']
