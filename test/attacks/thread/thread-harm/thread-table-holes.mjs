// id: thread-table-holes
// title: an import that empties the function table harms only that interpreter
// level: L2
// class: thread-harm
// expect: crash | python | result
// control: outcome

export function attack({ instance }) {
  const table = instance.exports.__indirect_function_table
  for (let at = 1; at < table.length; at++) table.set(at, null)
}
