# frozen_string_literal: false
# Answers lines on stdin: what Marshal makes of values. test_differential.py asks.
require 'json'
require 'bigdecimal'
require 'date'
require 'set'

Money = Struct.new(:cents, :currency)
class Cart
  def initialize(items) = (@items, @note = items, 'näive')
end
class Temp
  def initialize(degrees) = @degrees = degrees
  def marshal_dump = [@degrees]
  def marshal_load(data) = @degrees = data[0]
end
class Old
  def initialize(data) = @data = data
  def _dump(_level) = @data
  def self._load(data) = new(data)
end
class Many < Array; end

def graph(seed)
  rng = Random.new(seed)
  session = { 'first' => ['a', 1.25, :sym, Money.new(1, 'EUR')], 'count' => rng.rand(300) }
  made = [+'shared']
  12.times do |i|
    value =
      case rng.rand(18)
      when 0 then Cart.new([1, made.sample(random: rng)])
      when 1 then Money.new(5, made.sample(random: rng))
      when 2 then Temp.new(made.sample(random: rng))
      when 3 then Old.new('data')
      when 4 then Time.at(1_700_000_000, 5, :nsec, in: '+02:00')
      when 5 then Set[1, :two, 'three']
      when 6 then { sym: :bol, 3 => [nil, made.sample(random: rng)] }
      when 7 then Hash.new(made.sample(random: rng)).merge!('a' => 1)
      when 8 then +"caf\xE9".force_encoding('ISO-8859-1')
      when 9 then (+'has ivar').tap { |text| text.instance_variable_set(:@extra, made.sample(random: rng)) }
      when 10 then [/a+b/i, 1..5, 3r, Comparable, String]
      when 11 then BigDecimal('1.5')
      when 12 then Date.new(2026, 3, 29)
      when 13 then Many.new([1, made.sample(random: rng)])
      when 14 then (2**rng.rand(20..90)) * (rng.rand(2).zero? ? 1 : -1)
      when 15 then [1.5, 1.5, 2.0**70, -0.0, Float::NAN, Float::INFINITY]
      when 16 then ['x'.b, :"kö", :kö, "\u6771".encode('UTF-16LE')]
      else made.sample(random: rng)
      end
    made << value if value.is_a?(Array) || value.is_a?(Hash) || value.is_a?(String) || value.is_a?(Cart)
    session["m#{i}"] = value
  end
  # As one that read it has it.
  Marshal.load(Marshal.dump(session))
end

$stdin.each_line do |line|
  words = line.chomp.split(' ')
  answers =
    case words[0]
    when 'encode' then [Marshal.dump(JSON.parse(words[1].unpack1('m')))]
    when 'same'
      data, json = words[1..].map { |word| word.unpack1('m') }
      [(Marshal.load(data) == JSON.parse(json)).to_s]
    else
      session = graph(words[1].to_i)
      stored = Marshal.dump(session)
      after = Marshal.dump(Marshal.load(stored).merge!('hits' => 41))
      [stored, after, Marshal.dump(Marshal.load(stored).tap { |copy| copy.delete('first') })]
    end
  puts(answers.map { |answer| [answer].pack('m0') }.join(' '))
  $stdout.flush
end
