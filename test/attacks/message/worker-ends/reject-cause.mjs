// id: reject-cause
// title: a worker that rejects with a cause
// level: L3
// class: worker-ends
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

export default () => Promise.reject(new Error('x', { cause: { get: 5, inner: new Error('y') } }))
