/// What seals a session's data with an application's secrets, where its framework does.
class Sealer {
  /// Appends the sealed form of `plain`.
  func seal(_ plain: Bytes, to out: inout ByteBuffer) throws(Failure) {
    throw .argument("there is nothing that seals")
  }

  /// Appends what was sealed, and says with which of the secrets; nil: with none of them.
  func open(_ sealed: Bytes, limit: Int, to plain: inout ByteBuffer) throws(Failure) -> Int? { nil }
}
