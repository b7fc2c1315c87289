using System.Globalization;
using CsCheck;
using Resources.Grains;

namespace Resources.Domain.Tests;

[Trait("Conformance", "D5")]
public class NumberTests
{
    static readonly Gen<string> DoubleText = Gen
        .Double.Where(double.IsFinite)
        .Select(value => value.ToString("R", CultureInfo.InvariantCulture));

    [Theory]
    [InlineData("0")]
    [InlineData("-0")]
    [InlineData("0.1")]
    [InlineData("1.10")]
    [InlineData("1e300")]
    [InlineData("-1E+300")]
    [InlineData("1.7976931348623157e308")]
    [InlineData("5e-324")]
    [InlineData("2.2250738585072014E-308")]
    [InlineData("9007199254740993")]
    [InlineData("9223372036854775807")]
    [InlineData("12345678901234567890.12345678")]
    [InlineData("1234567890123456789012345678")]
    [InlineData("12345678901234567890123456780")]
    [InlineData("79228162514264337593543950330")]
    [InlineData("0.0000000000000000000000000001")]
    [InlineData("1234567890123456789012345678e-28")]
    [InlineData("1000000000000000000000000000000000000")]
    [InlineData("1.1000000000000000000000000000000000000000000000000")]
    [InlineData("0e0000000000000000000000000000000000000001")]
    public void Number_that_clients_and_the_store_preserve_is_accepted(string number) =>
        Assert.Equal("", Faults(number));

    [Theory]
    [InlineData("1e400")]
    [InlineData("-1e400")]
    [InlineData("1e100000")]
    [InlineData("1e-400")]
    [InlineData("1e-325")]
    [InlineData("0e100000")]
    [InlineData("1e99999999999999999999")]
    [InlineData("1e-99999999999999999999")]
    [InlineData("12345678901234567890123456789012345")]
    [InlineData("12345678901234567890123456789")]
    [InlineData("0.12345678901234567890123456789")]
    [InlineData("12345678901234567e29")]
    [InlineData("1.79769313486231571e308")]
    [InlineData("7.9228162514264337593543951e30")]
    public void Number_that_would_change_is_refused(string number) =>
        Assert.Equal("/n NUMBER_OUT_OF_RANGE", Faults(number));

    [Theory]
    [InlineData(400, true)]
    [InlineData(401, false)]
    [InlineData(1_000_000, false)]
    public void Padding_with_zeros_is_bounded(int length, bool accepted) =>
        Assert.Equal(accepted ? "" : "/n NUMBER_OUT_OF_RANGE", Faults("0." + new string('0', length - 2)));

    [Fact]
    public void Every_double_in_its_shortest_form_is_accepted() => DoubleText.Sample(text => Faults(text) == "");

    [Fact]
    public void Every_decimal_of_28_digits_is_accepted() =>
        Gen.Select(Gen.Int[0, int.MaxValue], Gen.Int[0, int.MaxValue], Gen.Int[0, 999_999_999], Gen.Int[0, 28])
            .Sample(
                (high, middle, low, scale) =>
                    Faults(
                        (new decimal(low, middle, high & 0x0FFFFFFF, false, (byte)scale) % 1e28m).ToString(
                            CultureInfo.InvariantCulture
                        )
                    ) == ""
            );

    [Theory]
    [InlineData("1" + Zeros50 + Zeros50 + Zeros50 + Zeros50 + Zeros50 + Zeros50, "1e300")]
    [InlineData("-25" + Zeros50 + ".0", "-2.5e51")]
    [InlineData("0." + Zeros50 + "5", "5e-51")]
    [InlineData("1.5" + Zeros50, "1.5")]
    [InlineData("12345678901234567890.12345678" + Zeros50, "1.234567890123456789012345678e19")]
    [InlineData("-0." + Zeros50, "0")]
    [InlineData("1000000000000000000000000000000000000000", "1000000000000000000000000000000000000000")]
    [InlineData("10000000000000000000000000000000000000000", "1e40")]
    [InlineData("12345678901234567890123456789012345678901", "12345678901234567890123456789012345678901")]
    public void Token_over_40_characters_is_written_shorter(string token, string expected) =>
        Assert.Equal($"{{\"n\":[{expected}]}}", JsonText.From(TestJson.Parse($"{{\"n\":[{token}]}}")).ToString());

    [Fact]
    public void Double_survives_being_written_with_all_its_digits() =>
        DoubleText.Sample(text =>
        {
            var sent = JsonText.From(TestJson.Parse($"{{\"n\":{text}}}"));
            var stored = JsonText.From(TestJson.Parse($"{{\"n\":{AllDigits(text)}}}"));
            return sent.Equals(stored)
                && stored.Utf8.Length <= 50
                && stored.ToElement().GetProperty("n").GetDouble() == double.Parse(text, CultureInfo.InvariantCulture);
        });

    const string Zeros50 = "00000000000000000000000000000000000000000000000000";

    static string Faults(string number)
    {
        var faults = new List<Fault>();
        using var document = StrictJson.Read(TestJson.Bytes($"{{\"n\":{number}}}"), faults);
        Assert.Equal(faults.Count == 0, document is not null);
        return TestJson.Summary(faults);
    }

    /// <summary>The way PostgreSQL's numeric writes a number: no exponent.</summary>
    static string AllDigits(string text)
    {
        var parts = text.TrimStart('-').Split('E');
        var exponent = parts.Length == 2 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0;
        var point = parts[0].IndexOf('.', StringComparison.Ordinal);
        var digits = parts[0].Replace(".", "", StringComparison.Ordinal);
        var whole = (point < 0 ? digits.Length : point) + exponent;
        digits = whole <= 0 ? new string('0', 1 - whole) + digits : digits.PadRight(whole, '0');
        whole = Math.Max(whole, 1);
        var plain = whole == digits.Length ? digits : $"{digits[..whole]}.{digits[whole..]}";
        plain = plain.TrimStart('0') is ['.', ..] or "" ? $"0{plain.TrimStart('0')}" : plain.TrimStart('0');
        return text[0] == '-' ? $"-{plain}" : plain;
    }
}
