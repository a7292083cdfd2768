// id: reject-control-characters
// title: a worker that rejects with control characters
// level: L3
// class: worker-ends
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

export default () => Promise.reject(new Error('\u001b[2J\u0000\r\nroot: all is well'))
