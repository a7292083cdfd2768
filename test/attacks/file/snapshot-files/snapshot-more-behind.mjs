// id: snapshot-more-behind
// title: a snapshot with an extra byte at its end
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

export default ({ bytes }) => Buffer.concat([bytes, Buffer.alloc(1)])
