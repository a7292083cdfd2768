// id: reject-symbol
// title: a worker that rejects with a symbol
// level: L3
// class: worker-ends
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

export default () => Promise.reject(Symbol('x'))
