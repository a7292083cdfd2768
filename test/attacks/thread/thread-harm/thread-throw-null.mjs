// id: thread-throw-null
// title: null thrown below guest frames ends the interpreter
// level: L2
// class: thread-harm
// expect: crash | python
// control: outcome

export function attack() {
  throw null
}
