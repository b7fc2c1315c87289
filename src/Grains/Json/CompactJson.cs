using System.Buffers;

namespace Resources.Grains;

/// <summary>Copies valid JSON without white space and with long numbers shortened. The copy is never longer.</summary>
internal static class CompactJson
{
    static readonly SearchValues<byte> NumberBytes = SearchValues.Create("+-.0123456789Ee"u8);

    public static int Write(ReadOnlySpan<byte> json, Span<byte> output)
    {
        var written = 0;
        while (!json.IsEmpty)
        {
            int length;
            switch (json[0])
            {
                case (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n':
                    json = json[1..];
                    continue;
                case (byte)'"':
                    length = StringLength(json);
                    break;
                case (byte)'-' or (>= (byte)'0' and <= (byte)'9'):
                    length = json.IndexOfAnyExcept(NumberBytes);
                    length = length < 0 ? json.Length : length;
                    var shortened =
                        length > CanonicalJson.LongNumber ? JsonNumber.Shorten(json[..length], output[written..]) : 0;
                    if (shortened > 0)
                    {
                        written += shortened;
                        json = json[length..];
                        continue;
                    }
                    break;
                default:
                    length = 1;
                    break;
            }
            json[..length].CopyTo(output[written..]);
            written += length;
            json = json[length..];
        }
        return written;
    }

    static int StringLength(ReadOnlySpan<byte> json)
    {
        var i = 1;
        while (true)
        {
            i += json[i..].IndexOfAny((byte)'"', (byte)'\\');
            if (json[i] == '"')
                return i + 1;
            i += 2;
        }
    }
}
