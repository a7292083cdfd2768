// id: reject-getter
// title: a worker that rejects with an error whose message throws
// level: L3
// class: worker-ends
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

export default () =>
  Promise.reject(
    Object.defineProperty(new Error('x'), 'message', {
      get() {
        throw new Error('in a getter')
      },
    }),
  )
