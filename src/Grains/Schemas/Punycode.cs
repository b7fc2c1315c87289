using System.Text;

namespace Resources.Grains;

/// <summary>Text beyond ASCII in letters, digits and hyphens (RFC 3492).</summary>
internal static class Punycode
{
    const int Base = 36;
    const int SmallestThreshold = 1;
    const int LargestThreshold = 26;
    const int Skew = 38;
    const int Damp = 700;
    const int FirstBias = 72;
    const int FirstCode = 0x80;

    /// <summary>The code points of an encoded text, or null where it is none.</summary>
    public static List<int>? Decode(ReadOnlySpan<char> text)
    {
        var result = new List<int>();
        var delimiter = text.LastIndexOf('-');
        foreach (var c in text[..Math.Max(0, delimiter)])
            result.Add(c);
        text = text[(delimiter + 1)..];

        var code = FirstCode;
        var bias = FirstBias;
        for (long index = 0; !text.IsEmpty; index++)
        {
            var before = index;
            long weight = 1;
            for (var k = Base; ; k += Base)
            {
                if (text.IsEmpty || Digit(text[0]) is not { } digit)
                    return null;
                text = text[1..];
                index += digit * weight;
                if (index > int.MaxValue)
                    return null;
                var threshold = Threshold(k, bias);
                if (digit < threshold)
                    break;
                weight *= Base - threshold;
            }
            var count = result.Count + 1;
            bias = Adapt((int)(index - before), count, before is 0);
            code += (int)(index / count);
            index %= count;
            if (!Rune.IsValid(code))
                return null;
            result.Insert((int)index, code);
        }
        return result;
    }

    /// <summary>The encoded form, without its prefix.</summary>
    public static string Encode(List<int> text)
    {
        var output = new StringBuilder();
        foreach (var c in text.Where(c => c < FirstCode))
            output.Append((char)c);
        var done = output.Length;
        var basic = done;
        if (basic > 0)
            output.Append('-');

        var delta = 0;
        var bias = FirstBias;
        for (var code = FirstCode; done < text.Count; delta++, code++)
        {
            var next = text.Where(c => c >= code).Min();
            delta += (next - code) * (done + 1);
            code = next;
            foreach (var c in text)
            {
                if (c < code)
                    delta++;
                if (c != code)
                    continue;
                AppendNumber(output, delta, bias);
                bias = Adapt(delta, done + 1, done == basic);
                delta = 0;
                done++;
            }
        }
        return output.ToString();
    }

    static void AppendNumber(StringBuilder output, int number, int bias)
    {
        for (var k = Base; ; k += Base)
        {
            var threshold = Threshold(k, bias);
            if (number < threshold)
                break;
            output.Append(Letter(threshold + (number - threshold) % (Base - threshold)));
            number = (number - threshold) / (Base - threshold);
        }
        output.Append(Letter(number));
    }

    static char Letter(int digit) => (char)(digit < 26 ? 'a' + digit : '0' + digit - 26);

    static int? Digit(char c) =>
        char.IsAsciiDigit(c) ? c - '0' + 26
        : char.IsAsciiLetter(c) ? (c | 0x20) - 'a'
        : null;

    static int Threshold(int k, int bias) => Math.Clamp(k - bias, SmallestThreshold, LargestThreshold);

    static int Adapt(int delta, int count, bool isFirst)
    {
        delta = isFirst ? delta / Damp : delta / 2;
        delta += delta / count;
        var k = 0;
        for (; delta > (Base - SmallestThreshold) * LargestThreshold / 2; k += Base)
            delta /= Base - SmallestThreshold;
        return k + (Base - SmallestThreshold + 1) * delta / (delta + Skew);
    }
}
