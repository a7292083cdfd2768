// id: reject-inspect
// title: a worker that rejects with an object that inspects itself
// level: L3
// class: worker-ends
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

export default () => Promise.reject({ [Symbol.for('nodejs.util.inspect.custom')]: () => 'x', name: 5 })
