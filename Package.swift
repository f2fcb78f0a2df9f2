// swift-tools-version:6.0
import PackageDescription

// `swift test` needs the normal mode; TUILE_EMBEDDED=1 builds the library the
// way it ships (CMakeLists.txt makes the shared object itself).
let embedded = Context.environment["TUILE_EMBEDDED"] == "1"
let mode: [SwiftSetting] =
  embedded
  ? [.enableExperimentalFeature("Embedded"), .unsafeFlags(["-wmo", "-enforce-exclusivity=unchecked"])] : []

let library: [Target] = [
  .systemLibrary(name: "CTuile"),
  .target(
    name: "CSystem",
    linkerSettings: [.linkedLibrary("crypto"), .linkedLibrary("sqlite3"), .linkedLibrary("z")]),
  .target(name: "Tuile", dependencies: ["CTuile", "CSystem"], swiftSettings: mode),
]
let tests: [Target] = [
  .testTarget(name: "TuileTests", dependencies: ["Tuile", "CTuile"])
]

let package = Package(
  name: "Tuile",
  products: [.library(name: "Tuile", targets: ["Tuile"])],
  targets: embedded ? library : library + tests,
  swiftLanguageModes: [.v6]
)
