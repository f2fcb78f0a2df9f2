import Testing

@testable import Tuile

@Suite struct ExpiryTests {
  let now: Int64 = 1_700_000_000_500_000

  @Test func readsWhatDjangoStores() {
    func age(_ raw: String?) -> Int64 { Expiry(raw.map { bytes($0) }).age(standard: 1000, now: now) }
    #expect(age(nil) == 1000 && age("0") == 1000 && age("60") == 60 && age("-60") == -60)
    #expect(age("\"2023-11-14T22:14:20.500000+00:00\"") == 60)
    // Python's timedelta rounds down.
    #expect(age("\"2023-11-14T22:13:21+00:00\"") == 0 && age("\"2023-11-14T22:13:20+00:00\"") == -1)
    // Any of Python's numbers, True among them.
    #expect(age("1800.0") == 1800 && age("-5.0") == -5 && age("1.5") == 1 && age("true") == 1)
    for odd in ["null", "[]", "\"soon\"", "99999999999999999999"] { #expect(age(odd) == 1000, "\(odd)") }
  }

  @Test func closesWithTheBrowserOnlyForZero() {
    func closes(_ raw: String?, _ standard: Bool) -> Bool {
      Expiry(raw.map { bytes($0) }).atBrowserClose(standard: standard)
    }
    #expect(closes("0", false) && !closes("5", true) && closes(nil, true) && !closes(nil, false))
    #expect(!closes("\"2023-11-14T22:14:20+00:00\"", true))
  }

  @Test func datesStayInTheCalendar() {
    for raw in ["253402300799", "-253402300799", "9223372036854775807", "-9223372036854775808"] {
      let date = Expiry(bytes(raw)).date(standard: 1000, now: now)
      #expect(date >= Tuile.Date.earliest * 1_000_000 && date <= Tuile.Date.latest * 1_000_000)
    }
    #expect(Expiry(nil).date(standard: 1000, now: now) == now + 1_000_000_000)
  }
}

@Suite struct SessionKeyTests {
  @Test func takesDjangosKeysAndNothingElse() {
    for good in ["abcdefgh", "0123456789abcdefghijklmnopqrstuv", String(repeating: "a", count: 40)] {
      #expect(SessionKey.isValid(bytes(good)))
    }
    for bad in [
      "", "abcdefg", String(repeating: "a", count: 41), "../../etc/passwd", "abcdefg\0h", "ABCDEFGH", "abcdefg-",
      "abcdefgé", String(repeating: "a", count: 4096),
    ] { #expect(!SessionKey.isValid(bytes(bad)), "\(bad)") }
  }

  @Test func makesKeysThatDifferAndUseTheWholeAlphabet() throws {
    var arena = Arena(limit: 1 << 20)
    var keys = Set<String>()
    var counts = [Character: Int]()
    for _ in 0..<2000 {
      let key = string(try SessionKey.make(in: &arena))
      #expect(SessionKey.isValid(bytes(key)) && key.count == 32)
      keys.insert(key)
      for character in key { counts[character, default: 0] += 1 }
    }
    #expect(keys.count == 2000 && counts.count == 36)
    // 64,000 draws, 1,778 expected of each: six standard deviations.
    for (character, count) in counts { #expect(abs(count - 1778) < 250, "\(character)") }
  }
}
