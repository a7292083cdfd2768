// id: thread-exit
// title: a slot whose thread exits ends alone
// level: L2
// class: thread-harm
// expect: crash
// control: outcome

export function attack({ require }) {
  require('node:process').exit(3)
}
