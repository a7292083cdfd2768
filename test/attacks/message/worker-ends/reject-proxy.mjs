// id: reject-proxy
// title: a worker that rejects with a proxy that throws
// level: L3
// class: worker-ends
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

export default () =>
  Promise.reject(
    new Proxy(new Error('x'), {
      get() {
        throw new Error('in a trap')
      },
    }),
  )
