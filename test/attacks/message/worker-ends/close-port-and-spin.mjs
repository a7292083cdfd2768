// id: close-port-and-spin
// title: a worker that closes its channel and spins
// level: L3
// class: worker-ends
// expect: error
// control: outcome
// timeout-ms: 100

export default ({ port }) => {
  port.close()
  for (;;);
}
