import CSystem

/// One value of a payload. Offsets are of what was stored, or of what a change
/// wrote (`isNew`); `first` and `next` chain the values inside.
struct PayloadNode {
  enum Kind: UInt8 {
    case null, no, yes, int, double, string, list, map
    /// Another place of a value that stands before it.
    case ref
    // From here on shown as placeholders.
    case infinite, bytes, byteArray, wide, tuple, set, frozenSet, symbol, object, enumCase, date
  }

  var kind = Kind.null
  /// What a format keeps beside the kind: an opcode, a type's octet.
  var op: UInt8 = 0
  var isNew = false
  /// Something inside is other than it was stored.
  var isChanged = false
  /// Other places refer to it.
  var isShared = false
  /// It, or something inside, is shown as a placeholder.
  var isOpaque = false
  /// Pickle: it has a number to be referred by. Marshal: it is text in UTF-8.
  var isMarked = false
  var isOpen = false
  /// How deep the JSON of it nests.
  var height: UInt8 = 0
  /// All of it, and of text what is between the marks.
  var from: Int32 = 0
  var to: Int32 = 0
  var text: Int32 = 0
  var textEnd: Int32 = 0
  var first: Int32 = 0
  var last: Int32 = 0
  var next: Int32 = 0
  var count: Int32 = 0
  /// Of a ref the value; else what a format links.
  var link: Int32 = 0
  /// Marshal: a hash's default.
  var extra: Int32 = 0
  /// When written: which of the things that can be referred to it became, from 1.
  var number: Int32 = 0
  var json: Int32 = 0
  var jsonEnd: Int32 = 0
  /// An integer, or the bits of a double.
  var value: Int64 = 0
}

/// A payload as a tree that is read once, shown, changed and written once.
final class PayloadTree {
  let stored: Bytes
  let format: PayloadFormat
  /// Node 0 is none: an index that is wrong ends there.
  private var nodes: UnsafeMutablePointer<PayloadNode>
  private var capacity = 64
  private(set) var count = 1
  private(set) var isFull = false
  /// The map of the session.
  var root = 0
  /// What changes write, in the format.
  var scratch = ByteBuffer()
  /// Members of the session that have no name in JSON.
  var hiddenCount = 0
  /// Where their placeholder begins in the JSON.
  var hiddenFrom = 0
  /// How many nodes are of what was stored.
  var oldCount = 0
  /// Some value refers to another.
  var hasRefs = false
  /// Pickle: its protocol, whether it stands in frames, and whether values are numbered.
  var protocolNumber = 4
  var isFramed = true
  var marks = true
  /// Pickle: each opcode that numbers a value, and which. Marshal: the symbols.
  let definitions = PayloadIndices()
  /// Marshal: the symbol E, or 0.
  var encodingSymbol = 0
  /// What a format numbers while it is read.
  let numbered = PayloadIndices()

  init?(_ stored: Bytes, _ format: PayloadFormat) {
    guard let room = malloc(capacity &* MemoryLayout<PayloadNode>.stride) else { return nil }
    nodes = room.assumingMemoryBound(to: PayloadNode.self)
    nodes[0] = PayloadNode()
    self.stored = stored
    self.format = format
  }

  deinit { free(nodes) }

  /// The node, to be read or changed before the next `add`.
  func node(_ index: Int) -> UnsafeMutablePointer<PayloadNode> {
    nodes + (UInt(bitPattern: index) < UInt(bitPattern: count) ? index : 0)
  }

  func node(_ index: Int32) -> UnsafeMutablePointer<PayloadNode> { node(Int(index)) }

  /// A new node; 0 beyond the bounds or without memory, which `isFull` remembers.
  func add(_ kind: PayloadNode.Kind, _ from: Int, _ to: Int) -> Int {
    if count == capacity {
      guard count < Payload.mostValues &* 4,
        let grown = realloc(nodes, capacity &* 2 &* MemoryLayout<PayloadNode>.stride)
      else {
        isFull = true
        return 0
      }
      nodes = grown.assumingMemoryBound(to: PayloadNode.self)
      capacity = capacity &* 2
    }
    var node = PayloadNode()
    node.kind = kind
    node.from = Int32(truncatingIfNeeded: from)
    node.to = Int32(truncatingIfNeeded: to)
    nodes[count] = node
    count &+= 1
    return count &- 1
  }

  func append(_ child: Int, to parent: Int) {
    let parent = node(parent)
    let child32 = Int32(truncatingIfNeeded: child)
    if parent.pointee.first == 0 {
      parent.pointee.first = child32
    } else {
      node(parent.pointee.last).pointee.next = child32
    }
    parent.pointee.last = child32
    parent.pointee.count &+= 1
  }

  /// Leaves out all that is in a value, to be put in again.
  func clear(_ index: Int) {
    let found = node(index)
    found.pointee.first = 0
    found.pointee.last = 0
    found.pointee.count = 0
    found.pointee.isChanged = true
  }

  /// Where, in the scratch or in what was stored, the text of a node is.
  func setText(_ index: Int, _ from: Int, _ to: Int) {
    node(index).pointee.text = Int32(truncatingIfNeeded: from)
    node(index).pointee.textEnd = Int32(truncatingIfNeeded: to)
  }

  func change(to wanted: Bytes, shown: Bytes) -> PayloadStatus {
    PayloadChange(self, to: wanted, shown: shown).run()
  }

  /// What a ref stands for, or the node itself.
  func resolved(_ index: Int) -> Int {
    let found = node(index).pointee
    return found.kind == .ref ? Int(found.link) : index
  }

  func raw(_ index: Int) -> Bytes {
    let found = node(index).pointee
    return (found.isNew ? scratch.bytes : stored).slice(Int(found.from), Int(found.to))
  }

  func text(_ index: Int) -> Bytes {
    let found = node(index).pointee
    return (found.isNew ? scratch.bytes : stored).slice(Int(found.text), Int(found.textEnd))
  }

  /// `isSession` false: of Marshal, what has the session in it.
  func parse(isSession: Bool = true) -> PayloadStatus {
    let done: Bool
    switch format {
    case .php, .phpBinary, .phpSerialize: done = parsePHP()
    case .pickle: done = parsePickle()
    case .msgpack: done = parseMessagePack()
    case .marshal: done = parseMarshal(isSession: isSession)
    case .json: done = false
    }
    if isFull { return count < Payload.mostValues ? .noMemory : .malformed }
    guard done, count <= Payload.mostValues else { return .malformed }
    oldCount = count
    return numbered.failed || definitions.failed ? .noMemory : .ok
  }

  func write(to out: inout ByteBuffer) -> PayloadStatus {
    switch format {
    case .php, .phpBinary, .phpSerialize: return writePHP(to: &out)
    case .pickle: return writePickle(to: &out)
    case .msgpack: return writeMessagePack(to: &out)
    case .marshal: return writeMarshal(to: &out)
    case .json: return .malformed
    }
  }
}
