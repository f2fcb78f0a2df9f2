import CSystem

/// AES-GCM, with a key of 256 bits unless another cipher is named, a nonce of 12 bytes and a
/// tag of 16 (NIST SP 800-38D), by libcrypto. What it points to is the caller's.
struct AEAD {
  private let with: sys_cipher_key

  init(_ cipher: sys_cipher = SYS_AES_256_GCM, key: UnsafePointer<UInt8>, nonce: UnsafePointer<UInt8>) {
    with = sys_cipher_key(cipher: cipher, key: key, iv: nonce)
  }

  /// Appends the sealed text and writes its tag. `known` is signed with it.
  func seal(
    _ text: Bytes, known: Bytes = Bytes(), to out: inout ByteBuffer, tag: UnsafeMutablePointer<UInt8>
  ) throws(Failure) {
    var done = false
    let filled = out.fill(text.count) { start in
      done = sys_aead_seal(with, known.lent, text.lent, start, tag)
      return text.count
    }
    guard filled, done else { throw .memory }
  }

  /// Appends the text if the tag is right; else nothing, and false.
  func open(
    _ sealed: Bytes, known: Bytes = Bytes(), tag: UnsafePointer<UInt8>, to out: inout ByteBuffer
  ) throws(Failure) -> Bool {
    var answer: Int32 = -1
    let filled = out.fill(sealed.count) { start in
      answer = sys_aead_open(with, known.lent, sealed.lent, start, tag)
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
    let with = sys_cipher_key(cipher: self, key: key, iv: iv)
    let filled = out.fill(text.count &+ 16) { start in
      size = sys_cipher_run(with, encrypt, text.lent, start)
      return max(0, size)
    }
    guard filled else { throw .memory }
    return size >= 0
  }
}
