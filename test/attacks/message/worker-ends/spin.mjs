// id: spin
// title: spins
// level: L3
// class: worker-ends
// expect: error
// control: outcome
// timeout-ms: 150

export default () => {
  for (;;);
}
