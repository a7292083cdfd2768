// id: task-finish
// title: finishing its task, to serve the next tenant
// level: L3
// class: task-channels
// expect: error
// control: outcome
// timeout-ms: 3000

export default ({ finish, detail }) => {
  globalThis.secret = detail
  finish({ done: true })
}
