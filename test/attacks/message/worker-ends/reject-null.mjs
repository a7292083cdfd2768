// id: reject-null
// title: a worker that rejects with null
// level: L3
// class: worker-ends
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

export default () => Promise.reject(null)
