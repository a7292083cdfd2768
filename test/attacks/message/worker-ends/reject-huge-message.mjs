// id: reject-huge-message
// title: a worker that rejects with a message of 16 MiB
// level: L3
// class: worker-ends
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

export default () => Promise.reject(new Error('x'.repeat(2 ** 24)))
