/// What seals a layout's sessions where the application's own setting says so, with the
/// manager's secrets: unlike the layout, which the store's URL made, it belongs to a manager.
class LayoutCipher {
  /// Appends the sealed form of `plain`.
  func seal(_ plain: Bytes, to out: inout ByteBuffer) throws(Failure) {
    throw .argument("this layout seals nothing")
  }

  /// Appends what was sealed, and says with which of the secrets; nil: with none of them.
  func open(_ sealed: Bytes, limit: Int, to plain: inout ByteBuffer) throws(Failure) -> Int? { nil }
}
