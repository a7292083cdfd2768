// id: reject-odd-object
// title: a worker that rejects with an object of odd fields
// level: L3
// class: worker-ends
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

export default () => Promise.reject({ message: { toString: 1 }, stack: 5, __proto__: null })
