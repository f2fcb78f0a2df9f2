# rack-session for the tests: a line of JSON in, a line of JSON out.
# frozen_string_literal: true

require "json"

# A later Debian's, which Tests/Live/install unpacks: Debian 12 has no rack-session, and a Rack that is too old for it.
unless ENV["RUBYLIB"]
  $LOAD_PATH.unshift(*Dir[File.expand_path("../../build/live/rack/usr/share/rubygems-integration/all/gems/*/lib", __dir__)])
end

begin
  require "rack"
  require "rack/session/encryptor"
rescue LoadError => error
  abort "#{error.message}: Tests/Live/install gets it of a later Debian, where that can be had"
end

def version(name)
  Gem.loaded_specs[name]&.version&.to_s
end

versions = { "rack" => version("rack") || Rack.release, "json (Ruby)" => JSON::VERSION }
missing = {}
begin
  require "rack/session/version"
  versions["rack-session"] = Rack::Session::VERSION
rescue LoadError
  versions["rack-session"] = version("rack-session") || "of unknown version"
end
missing["V2"] = "this rack-session has version 1 alone" unless defined?(Rack::Session::Encryptor::V2)
begin
  require "rack/session/cookie"
  require "rack/mock_request"
rescue LoadError => error
  missing["app"] = "#{error.message}: rack-session's middleware is for Rack 3"
end

def encryptor(asked)
  options = { serialize_json: true }
  options[:pad_size] = asked["pad"] if asked.key?("pad")
  # As bytes, since it is put behind bytes.
  options[:purpose] = asked["purpose"].b if asked["purpose"]
  options[:mode] = asked["mode"] if asked["mode"] && defined?(Rack::Session::Encryptor::V2)
  Rack::Session::Encryptor.new([asked["secret"]].pack("H*"), options)
end

# One request to an app that gives its session, after it has put `value` there.
def visit(asked)
  seen = nil
  page = lambda do |env|
    seen = env["rack.session"].to_h
    env["rack.session"].update(asked["value"]) if asked["value"]
    [200, {}, []]
  end
  secrets = asked["secrets"].map { |secret| [secret].pack("H*") }
  app = Rack::Session::Cookie.new(page, key: asked["name"], secrets: secrets, serialize_json: true, coder: Nothing.new)
  env = asked["token"] ? { "HTTP_COOKIE" => "#{asked["name"]}=#{asked["token"]}" } : {}
  answer = Rack::MockRequest.new(app).get("/", env)
  line = Array(answer.headers["set-cookie"] || answer.headers["Set-Cookie"]).first
  [seen, line && line[/\A[^=]*=([^;]*)/, 1]]
end

# What is not encrypted is no session at all.
class Nothing
  def encode(_) = raise("not encrypted")
  def decode(_) = nil
end

$stdout.sync = true
puts JSON.generate(versions: versions, missing: missing)
$stdin.each_line do |line|
  asked = JSON.parse(line)
  ok = case asked["op"]
       when "encrypt" then encryptor(asked).encrypt(asked["value"])
       when "decrypt" then encryptor(asked).decrypt(asked["token"])
       when "visit" then visit(asked)
       end
  answer = { ok: ok }
rescue StandardError => error
  answer = { error: "#{error.class}: #{error.message}" }
ensure
  puts JSON.generate(answer, script_safe: true)
end
