// id: thread-memory-scribble
// title: an import that writes over all of the interpreter harms that interpreter only
// level: L2
// class: thread-harm
// expect: crash | python | result
// control: outcome

export function attack({ instance }) {
  const bytes = new Uint8Array(instance.exports.memory.buffer)
  for (let at = 65_536; at < bytes.length; at += 61) bytes[at] ^= 0x55
}
