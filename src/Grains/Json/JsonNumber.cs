using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Resources.Grains;

/// <summary>
/// The value of a JSON number token, d.ddd × 10^<see cref="Exponent"/>, with neither leading nor trailing zeros;
/// no digits at all is zero.
/// </summary>
internal readonly ref partial struct JsonNumber
{
    // Every number that survives can be written shorter than this; longer tokens are padded with zeros.
    const int MaxTokenLength = 400;
    const int MaxExponent = 400;
    const int DecimalDigits = 28;

    JsonNumber(bool negative, ReadOnlySpan<byte> digits, int exponent)
    {
        Negative = negative;
        Digits = digits;
        Exponent = exponent;
    }

    bool Negative { get; }
    ReadOnlySpan<byte> Digits { get; }
    int Exponent { get; }

    /// <summary>
    /// Whether clients and the store can keep the number: it is a decimal of at most 28 significant digits within the
    /// range and scale of <see cref="decimal"/>, or the shortest form of its nearest double denotes the same value.
    /// Tokens over 400 characters and exponents beyond ±400 are refused unread, even where they denote a small number.
    /// </summary>
    public static bool Survives(ReadOnlySpan<byte> token)
    {
        if (token.Length <= DecimalDigits && !token.ContainsAny((byte)'e', (byte)'E'))
            return true;
        if (token.Length > MaxTokenLength)
            return false;

        var number = Read(token, stackalloc byte[MaxTokenLength]);
        if (Math.Abs(number.Exponent) > MaxExponent)
            return false;
        return number.FitsDecimal() || number.FitsDouble(token);
    }

    /// <summary>
    /// The number as a decimal of at most 28 significant digits and as many behind the point; null when it is none.
    /// </summary>
    public static decimal? ToDecimal(JsonElement number)
    {
        var token = JsonMarshal.GetRawUtf8Value(number);
        return
            token.Length <= MaxTokenLength
            && Read(token, stackalloc byte[MaxTokenLength]).FitsDecimal()
            && decimal.TryParse(token, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? value
            : null;
    }

    /// <summary>How much longer the number is as <see cref="WritePlain"/> writes it; less than 0 where it is shorter.</summary>
    public static int Growth(ReadOnlySpan<byte> token)
    {
        if (token.IndexOfAny((byte)'e', (byte)'E') is not (>= 0 and var e))
            return 0;
        var mantissa = token[(token[0] is (byte)'-' ? 1 : 0)..e];
        var exponent = ReadExponent(token[(e + 1)..]);
        var point = mantissa.IndexOf((byte)'.');
        var whole = point < 0 ? mantissa.Length : point;
        var fraction = point < 0 ? 0 : mantissa.Length - point - 1;
        var first = mantissa.IndexOfAnyExcept((byte)'0', (byte)'.');
        var leading = first > point && point >= 0 ? first - 1 : first;
        var at = whole + exponent;
        var scale = Math.Max(0, fraction - exponent);
        var digits = first < 0 || leading >= at ? 1 : at - leading;
        var sign = token[0] is (byte)'-' && first >= 0 ? 1 : 0;
        return sign + digits + (scale > 0 ? 1 + scale : 0) - token.Length;
    }

    /// <summary>One spelling for all numbers of the same value: sign, digits, and the exponent of the first of them.</summary>
    public static string Canonical(ReadOnlySpan<byte> token)
    {
        var number = Read(
            token,
            token.Length <= MaxTokenLength ? stackalloc byte[MaxTokenLength] : new byte[token.Length]
        );
        if (number.Digits.IsEmpty)
            return "0";
        var digits = System.Text.Encoding.ASCII.GetString(number.Digits);
        return string.Create(CultureInfo.InvariantCulture, $"{(number.Negative ? "-" : "")}{digits}e{number.Exponent}");
    }

    /// <summary>
    /// Writes the same value as d.ddde±x, the shortest form of a double, and returns its length;
    /// 0 when that is not shorter than the token.
    /// </summary>
    public static int Shorten(ReadOnlySpan<byte> token, Span<byte> output)
    {
        var number = Read(
            token,
            token.Length <= MaxTokenLength ? stackalloc byte[MaxTokenLength] : new byte[token.Length]
        );
        const int SignPointAndExponent = 14;
        if (number.Digits.Length + SignPointAndExponent > token.Length)
            return 0;
        if (number.Digits.IsEmpty)
        {
            output[0] = (byte)'0';
            return 1;
        }

        var length = 0;
        if (number.Negative)
            output[length++] = (byte)'-';
        output[length++] = number.Digits[0];
        if (number.Digits.Length > 1)
        {
            output[length++] = (byte)'.';
            number.Digits[1..].CopyTo(output[length..]);
            length += number.Digits.Length - 1;
        }
        if (number.Exponent == 0)
            return length;
        output[length++] = (byte)'e';
        Utf8Formatter.TryFormat(number.Exponent, output[length..], out var written);
        return length + written;
    }

    /// <summary>
    /// Writes the same value without an exponent, with as many digits behind the point as the token has, moved by its
    /// exponent; zero has no sign.
    /// </summary>
    public static void WritePlain(ReadOnlySpan<byte> token, ArrayBufferWriter<byte> output)
    {
        var isNegative = token[0] == '-';
        var mantissa = isNegative ? token[1..] : token;
        var exponent = 0;
        if (mantissa.IndexOfAny((byte)'e', (byte)'E') is >= 0 and var e)
        {
            exponent = ReadExponent(mantissa[(e + 1)..]);
            mantissa = mantissa[..e];
        }
        var point = mantissa.IndexOf((byte)'.');
        var whole = point < 0 ? mantissa : mantissa[..point];
        var fraction = point < 0 ? [] : mantissa[(point + 1)..];
        Span<byte> digits = token.Length <= MaxTokenLength ? stackalloc byte[MaxTokenLength] : new byte[token.Length];
        digits = digits[..(whole.Length + fraction.Length)];
        whole.CopyTo(digits);
        fraction.CopyTo(digits[whole.Length..]);

        // The point stands behind so many digits; there may be fewer or more of them.
        var at = whole.Length + exponent;
        var scale = Math.Max(0, fraction.Length - exponent);
        var first = digits.IndexOfAnyExcept((byte)'0');
        if (isNegative && first >= 0)
            output.Write("-"u8);
        if (first < 0 || first >= at)
            output.Write("0"u8);
        else
            for (var i = first; i < at; i++)
                output.Write([i < digits.Length ? digits[i] : (byte)'0']);
        if (scale is 0)
            return;
        output.Write("."u8);
        for (var i = at; i < at + scale; i++)
            output.Write([i >= 0 && i < digits.Length ? digits[i] : (byte)'0']);
    }

    static JsonNumber Read(ReadOnlySpan<byte> token, Span<byte> buffer)
    {
        var negative = token[0] == '-';
        var mantissa = negative ? token[1..] : token;
        var exponent = 0;
        var e = mantissa.IndexOfAny((byte)'e', (byte)'E');
        if (e >= 0)
        {
            exponent = ReadExponent(mantissa[(e + 1)..]);
            mantissa = mantissa[..e];
        }

        var point = mantissa.IndexOf((byte)'.');
        var whole = point < 0 ? mantissa : mantissa[..point];
        whole.CopyTo(buffer);
        var count = whole.Length;
        if (point >= 0)
        {
            mantissa[(point + 1)..].CopyTo(buffer[count..]);
            count += mantissa.Length - point - 1;
        }

        var first = buffer[..count].IndexOfAnyExcept((byte)'0');
        if (first < 0)
            return new JsonNumber(false, [], exponent);
        var last = buffer[..count].LastIndexOfAnyExcept((byte)'0');
        return new JsonNumber(negative, buffer[first..(last + 1)], exponent + whole.Length - 1 - first);
    }

    static int ReadExponent(ReadOnlySpan<byte> text)
    {
        const int Beyond = 1_000_000_000;
        return Utf8Parser.TryParse(text, out int exponent, out _) && Math.Abs((long)exponent) < Beyond ? exponent
            : text[0] == '-' ? -Beyond
            : Beyond;
    }

    bool FitsDecimal() =>
        Digits.Length <= DecimalDigits
        && Digits.Length - 1 - Exponent <= DecimalDigits
        && (
            Exponent < DecimalDigits
            || (Exponent == DecimalDigits && Digits.SequenceCompareTo("79228162514264337593543950335"u8) <= 0)
        );

    bool FitsDouble(ReadOnlySpan<byte> token)
    {
        if (
            !double.TryParse(token, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            || !double.IsFinite(value)
        )
            return false;
        Span<byte> text = stackalloc byte[32];
        value.TryFormat(text, out var length, default, CultureInfo.InvariantCulture);
        var shortest = Read(text[..length], stackalloc byte[32]);
        return shortest.Exponent == Exponent && shortest.Digits.SequenceEqual(Digits);
    }
}
