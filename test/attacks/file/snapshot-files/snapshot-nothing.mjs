// id: snapshot-nothing
// title: an empty file
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

export default () => new Uint8Array()
