import CSystem

/// AES-GCM, with keys of 256 bits unless another is named, a nonce of 12 bytes and a tag of 16 (NIST SP 800-38D), by libcrypto.
enum AEAD {
  /// Appends the sealed text and writes its tag.
  static func seal(
    _ text: Bytes, _ cipher: sys_cipher = SYS_AES_256_GCM, key: UnsafePointer<UInt8>, nonce: UnsafePointer<UInt8>,
    known: Bytes, to out: inout ByteBuffer, tag: UnsafeMutablePointer<UInt8>
  ) throws(Failure) {
    var done = false
    let filled = out.fill(text.count) { start in
      done = sys_aead_seal(
        cipher, key, nonce, known.start, known.count, text.start, text.count, start, tag)
      return text.count
    }
    guard filled, done else { throw .memory }
  }

  /// Appends the text if the tag is right; else nothing, and false.
  static func open(
    _ sealed: Bytes, _ cipher: sys_cipher = SYS_AES_256_GCM, key: UnsafePointer<UInt8>, nonce: UnsafePointer<UInt8>,
    known: Bytes, tag: UnsafePointer<UInt8>, to out: inout ByteBuffer
  ) throws(Failure) -> Bool {
    var answer: Int32 = -1
    let filled = out.fill(sealed.count) { start in
      answer = sys_aead_open(
        cipher, key, nonce, known.start, known.count, sealed.start, sealed.count, start, tag)
      return answer == 1 ? sealed.count : 0
    }
    guard filled, answer >= 0 else { throw .memory }
    return answer == 1
  }
}

extension sys_cipher {
  /// Appends what the cipher makes of `text`: CTR either way, CBC with its padding.
  /// false if the padding is wrong, or libcrypto fails.
  func run(
    encrypt: Bool, _ text: Bytes, key: UnsafePointer<UInt8>, iv: UnsafePointer<UInt8>, to out: inout ByteBuffer
  ) throws(Failure) -> Bool {
    var size = -1
    let filled = out.fill(text.count &+ 16) { start in
      size = sys_cipher_run(self, encrypt, key, iv, text.start, text.count, start)
      return max(0, size)
    }
    guard filled else { throw .memory }
    return size >= 0
  }
}
