// For Node 20: Restate's SDK uses `Promise.withResolvers`, which Node has since version 22. Import this file before the SDK.
const withResolvers = () => {
  let [resolve, reject] = [(_: unknown) => {}, (_: unknown) => {}]
  const promise = new Promise((onValue, onError) => {
    ;[resolve, reject] = [onValue, onError]
  })
  return { promise, resolve, reject }
}

if (!('withResolvers' in Promise)) Object.assign(Promise, { withResolvers })
