// id: close-port
// title: a worker that closes its channel
// level: L3
// class: worker-ends
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

export default ({ port }) => port.close()
