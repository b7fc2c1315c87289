using System.Security.Cryptography;
using System.Text;

namespace Resources.Api;

/// <summary>
/// Documents that were found valid in a schema, by the hash of their text: what is asked again is neither parsed nor
/// validated. A document is kept when it is asked for the second time within a minute, so a flood of documents that are
/// asked once puts out none. What is not asked for for one or two minutes goes.
/// </summary>
sealed class DocumentCache(TimeProvider time)
{
    /// <summary>A tree, and the values of its arguments, need up to so many bytes for each of its text.</summary>
    const int TreeSize = 40;

    /// <summary>Each of the two generations has trees of so many bytes.</summary>
    const long MaxBytes = 32 << 20;

    /// <summary>Bits that remember which documents were asked for.</summary>
    const int SeenBits = 64 << 13;

    static readonly TimeSpan Forgets = TimeSpan.FromMinutes(1);

    readonly Lock gate = new();
    readonly ulong[] seen = new ulong[SeenBits / 64];
    Dictionary<(long Schema, string Hash), ParsedDocument> young = [];
    Dictionary<(long Schema, string Hash), ParsedDocument> old = [];
    long bytes;
    long since = time.GetTimestamp();

    /// <summary>The hash of a text, in lower-case hexadecimal digits.</summary>
    public static string HashOf(string text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        return Convert.ToHexStringLower(hash);
    }

    /// <summary>A valid document; null where it is not kept.</summary>
    /// <param name="isKnown">Whether it was asked for lately, so that it is worth to be kept.</param>
    public ParsedDocument? Find(long schema, string hash, out bool isKnown)
    {
        lock (gate)
        {
            if (time.GetElapsedTime(since) > Forgets)
            {
                Array.Clear(seen);
                GrowOld();
                since = time.GetTimestamp();
            }
            if (young.TryGetValue((schema, hash), out var found))
            {
                isKnown = true;
                return found;
            }
            if (old.Remove((schema, hash), out found))
            {
                Keep(schema, hash, found);
                isKnown = true;
                return found;
            }
            isKnown = See(hash);
            return null;
        }
    }

    /// <summary>Keeps a document that was found valid.</summary>
    public void Add(long schema, string hash, ParsedDocument document)
    {
        lock (gate)
            if (!young.ContainsKey((schema, hash)))
                Keep(schema, hash, document);
    }

    /// <summary>Lets the documents of a schema go, which hold it.</summary>
    public void Forget(long schema)
    {
        lock (gate)
            foreach (var generation in new[] { young, old })
            foreach (var (key, document) in generation.Where(each => each.Key.Schema == schema).ToArray())
            {
                generation.Remove(key);
                bytes -= generation == young ? SizeOf(document) : 0;
            }
    }

    static long SizeOf(ParsedDocument document) => TreeSize * (long)document.Document.Source.Length;

    void Keep(long schema, string hash, ParsedDocument document)
    {
        var size = SizeOf(document);
        if (bytes + size > MaxBytes)
            GrowOld();
        young[(schema, hash)] = document;
        bytes += size;
    }

    void GrowOld()
    {
        (old, young) = (young, []);
        bytes = 0;
    }

    bool See(string hash)
    {
        var wasSeen = true;
        for (var part = 0; part < 2; part++)
        {
            var bit = Convert.ToUInt32(hash.Substring(8 * part, 8), 16) % SeenBits;
            var mask = 1UL << (int)(bit % 64);
            wasSeen &= (seen[bit / 64] & mask) != 0;
            seen[bit / 64] |= mask;
        }
        return wasSeen;
    }
}
