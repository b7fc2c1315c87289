using System.Buffers.Text;
using System.Numerics;
using System.Text;

namespace Resources.Grains;

/// <summary>Numbers as the values that they denote, exactly.</summary>
internal readonly ref partial struct JsonNumber
{
    // The digits of such a number and as many zeros fit 128 bits.
    const int FewDigits = 18;

    // The place of the last digit: the number is Digits × 10^Scale.
    int Scale => Exponent - Digits.Length + 1;

    /// <summary>Less than 0, 0, or more than 0, as the first number is less than, equal to, or greater than the second.</summary>
    public static int Compare(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        if (IsLong(left, out var first) && IsLong(right, out var second))
            return first.CompareTo(second);

        var a = Read(left, left.Length <= MaxTokenLength ? stackalloc byte[MaxTokenLength] : new byte[left.Length]);
        var b = Read(right, right.Length <= MaxTokenLength ? stackalloc byte[MaxTokenLength] : new byte[right.Length]);
        var sign = a.Sign;
        if (sign != b.Sign)
            return sign.CompareTo(b.Sign);
        var size = a.Exponent.CompareTo(b.Exponent);
        return sign is 0 ? 0 : sign * (size != 0 ? size : a.Digits.SequenceCompareTo(b.Digits));
    }

    /// <summary>Whether the number is an integer; 1.0 and 1e2 are.</summary>
    public static bool IsInteger(ReadOnlySpan<byte> token)
    {
        if (!token.ContainsAny((byte)'.', (byte)'e', (byte)'E'))
            return true;
        var number = Read(
            token,
            token.Length <= MaxTokenLength ? stackalloc byte[MaxTokenLength] : new byte[token.Length]
        );
        return number.Digits.IsEmpty || number.Scale >= 0;
    }

    /// <summary>Whether the number is an integer times a divisor above 0.</summary>
    public static bool IsMultiple(ReadOnlySpan<byte> token, ReadOnlySpan<byte> divisor)
    {
        var a = Read(token, token.Length <= MaxTokenLength ? stackalloc byte[MaxTokenLength] : new byte[token.Length]);
        var b = Read(
            divisor,
            divisor.Length <= MaxTokenLength ? stackalloc byte[MaxTokenLength] : new byte[divisor.Length]
        );
        if (a.Digits.IsEmpty)
            return true;
        var scale = a.Scale - b.Scale;
        // The divisor would have more zeros than the number has digits.
        if (-scale > a.Digits.Length)
            return false;
        if (a.Digits.Length <= FewDigits && b.Digits.Length <= FewDigits && Math.Abs(scale) <= FewDigits)
            return a.Few(scale) % b.Few(-scale) == 0;
        var (whole, part) = (a.Many(), b.Many());
        return scale < 0
            ? (whole % (part * BigInteger.Pow(10, -scale))).IsZero
            : (whole * BigInteger.ModPow(10, scale, part) % part).IsZero;
    }

    /// <summary>Adds a number to a hash, the same for all its spellings and another for its nearest neighbour.</summary>
    public static void AddTo(ref HashCode hash, ReadOnlySpan<byte> token)
    {
        var number = Read(
            token,
            token.Length <= MaxTokenLength ? stackalloc byte[MaxTokenLength] : new byte[token.Length]
        );
        hash.Add(number.Sign);
        hash.Add(number.Digits.IsEmpty ? 0 : number.Exponent);
        hash.AddBytes(number.Digits);
    }

    int Sign =>
        Digits.IsEmpty ? 0
        : Negative ? -1
        : 1;

    static bool IsLong(ReadOnlySpan<byte> token, out long value) =>
        Utf8Parser.TryParse(token, out value, out var length) && length == token.Length;

    /// <summary>The digits as a number, with so many zeros behind them.</summary>
    UInt128 Few(int zeros)
    {
        UInt128 value = 0;
        foreach (var digit in Digits)
            value = value * 10 + (UInt128)(digit - '0');
        for (; zeros > 0; zeros--)
            value *= 10;
        return value;
    }

    BigInteger Many() =>
        BigInteger.Parse(Encoding.ASCII.GetString(Digits), System.Globalization.CultureInfo.InvariantCulture);
}
