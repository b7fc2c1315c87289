using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Resources.Grains;

/// <summary>
/// One pass over a body that finds what <see cref="Utf8JsonReader"/> lets pass. It allocates two small arrays, not per
/// member; pointers are made only for faults.
/// </summary>
internal ref struct StrictScan(ReadOnlySpan<byte> text, List<Fault> faults)
{
    // Comparing this many names is as fast as hashing them.
    const int FewNames = 16;

    // A long name above many faults must not be repeated in each.
    const int MaxPointerLength = 1_000;

    readonly ReadOnlySpan<byte> body = text;
    Frame[] frames = new Frame[4];
    (int Start, int Length)[] names = new (int, int)[FewNames];
    int depth;
    int nameCount;
    long growth;
    bool failed;

    /// <summary>An open object or array.</summary>
    struct Frame
    {
        public bool IsArray;
        public int Index;
        public int FirstName;
        public HashSet<string>? ManyNames;

        // Where the current member's name stands in the body, quotes included; 0 when it cannot be named.
        public int NameStart;
        public int NameLength;
    }

    public bool Passes()
    {
        // One more than allowed: the reader's own refusal could not be told from a fault of syntax.
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = StrictJson.MaxDepth + 1 });
        try
        {
            while (faults.Count < FaultList.Max && reader.Read())
                if (!Take(ref reader))
                    return false;
        }
        catch (JsonException e)
        {
            Report(
                0,
                FaultCode.InvalidJson,
                $"The body is not valid JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}."
            );
        }
        if (growth > 0 && body.Length + growth > StrictJson.MaxStoredBytes)
            Report(
                0,
                FaultCode.TooLarge,
                "The body is larger than 1 MiB when its numbers are written without exponents."
            );
        return !failed && faults.Count < FaultList.Max;
    }

    bool Take(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName:
                TakeName(ref reader);
                return true;
            case JsonTokenType.EndObject or JsonTokenType.EndArray:
                nameCount = frames[--depth].FirstName;
                return true;
        }

        if (depth > 0)
            frames[depth - 1].Index++;
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject or JsonTokenType.StartArray:
                return Open(reader.TokenType == JsonTokenType.StartArray);
            case JsonTokenType.String when reader.ValueIsEscaped:
                IsClean(reader.ValueSpan, depth);
                break;
            case JsonTokenType.Number when !JsonNumber.Survives(reader.ValueSpan):
                Report(
                    depth,
                    FaultCode.NumberOutOfRange,
                    "The number is neither a double in its shortest form nor a decimal of at most 28 digits."
                );
                break;
            case JsonTokenType.Number:
                growth += JsonNumber.Growth(reader.ValueSpan);
                break;
        }
        return true;
    }

    bool Open(bool isArray)
    {
        if (depth == StrictJson.MaxDepth)
        {
            Report(depth, FaultCode.TooDeep, $"The body is nested deeper than {StrictJson.MaxDepth} levels.");
            return false;
        }
        if (depth == frames.Length)
            Array.Resize(ref frames, depth * 2);
        frames[depth++] = new Frame
        {
            IsArray = isArray,
            Index = -1,
            FirstName = nameCount,
        };
        return true;
    }

    void TakeName(ref Utf8JsonReader reader)
    {
        ref var frame = ref frames[depth - 1];
        if (reader.ValueIsEscaped && !IsClean(reader.ValueSpan, depth - 1))
        {
            frame.NameLength = 0;
            return;
        }
        frame.NameStart = (int)reader.TokenStartIndex;
        frame.NameLength = reader.ValueSpan.Length + 2;
        if (IsDuplicate(ref frame, ref reader))
            Report(depth, FaultCode.DuplicateMember, "The member occurs more than once.");
    }

    bool IsDuplicate(ref Frame frame, ref Utf8JsonReader reader)
    {
        var earlier = names.AsSpan(frame.FirstName, nameCount - frame.FirstName);
        if (frame.ManyNames is null && (reader.ValueIsEscaped || earlier.Length == FewNames))
        {
            frame.ManyNames = new HashSet<string>(FewNames * 2, StringComparer.Ordinal);
            foreach (var (start, length) in earlier)
                frame.ManyNames.Add(Encoding.UTF8.GetString(body.Slice(start, length)));
        }
        if (frame.ManyNames is not null)
            return !frame.ManyNames.Add(reader.GetString()!);

        var name = reader.ValueSpan;
        foreach (var (start, length) in earlier)
            if (length == name.Length && body.Slice(start, length).SequenceEqual(name))
                return true;
        if (nameCount == names.Length)
            Array.Resize(ref names, nameCount * 2);
        names[nameCount++] = (frame.NameStart + 1, name.Length);
        return false;
    }

    /// <summary>Looks at the escapes of a string; bytes outside them are known to be clean.</summary>
    bool IsClean(ReadOnlySpan<byte> text, int depth)
    {
        for (var at = text.IndexOf((byte)'\\'); at >= 0; at = text.IndexOf((byte)'\\'))
        {
            text = text[at..];
            if (text[1] != 'u')
            {
                text = text[2..];
                continue;
            }
            var unit = Unit(text);
            text = text[6..];
            if (char.IsHighSurrogate(unit) && text.StartsWith("\\u"u8) && char.IsLowSurrogate(Unit(text)))
            {
                text = text[6..];
                continue;
            }
            if (unit == 0)
                return Report(depth, FaultCode.NulCharacter, "A text has a NUL character.");
            if (char.IsSurrogate(unit))
                return Report(depth, FaultCode.LoneSurrogate, "A text has half of a surrogate pair.");
        }
        return true;
    }

    static char Unit(ReadOnlySpan<byte> escape) =>
        (char)ushort.Parse(escape.Slice(2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    bool Report(int depth, string code, string detail)
    {
        failed = true;
        faults.Report(Pointer(depth), code, detail);
        return false;
    }

    /// <summary>The current place, or the nearest one above it whose pointer is clean and of bearable length.</summary>
    readonly string Pointer(int depth)
    {
        var pointer = "";
        foreach (ref readonly var frame in frames.AsSpan(0, depth))
        {
            if (!frame.IsArray && frame.NameLength is (0 or > MaxPointerLength))
                break;
            var longer = JsonPointer.Append(
                pointer,
                frame.IsArray ? frame.Index.ToString(CultureInfo.InvariantCulture) : Name(frame)
            );
            if (longer.Length > MaxPointerLength)
                break;
            pointer = longer;
        }
        return pointer;
    }

    readonly string Name(in Frame frame)
    {
        var reader = new Utf8JsonReader(body.Slice(frame.NameStart, frame.NameLength));
        reader.Read();
        return reader.GetString()!;
    }
}
