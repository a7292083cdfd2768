// id: throw-null
// title: a worker that throws null
// level: L3
// class: worker-ends
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

export default () => {
  throw null
}
