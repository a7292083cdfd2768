// id: thread-memory-scribble
// title: an import that overwrites the whole interpreter harms only that interpreter
// level: L2
// class: thread-harm
// expect: crash | python | result
// control: outcome

export function attack({ instance }) {
  const bytes = new Uint8Array(instance.exports.memory.buffer)
  for (let at = 65_536; at < bytes.length; at += 61) bytes[at] ^= 0x55
}
