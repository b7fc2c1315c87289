using System.Buffers.Text;
using System.Security.Cryptography;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>
/// Cursors of lists: the place of a page's last row, sealed together with what was asked for. They are good for as long
/// as the master key is, on every node, and for the same selection and order only.
/// </summary>
public sealed class Cursors(MasterKey master)
{
    const int SealSize = 16;

    readonly byte[] key = master.Derive("cursor");

    /// <summary>The cursor of a place.</summary>
    /// <param name="asked">Names the selection and order.</param>
    public string Write(object[] place, Guid asked)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        foreach (var value in place)
            switch (value)
            {
                case DateTimeOffset time:
                    writer.Write(time.UtcTicks);
                    break;
                case Guid id:
                    writer.Write(id.ToByteArray());
                    break;
                default:
                    writer.Write((string)value);
                    break;
            }
        var content = bytes.ToArray();
        return Base64Url.EncodeToString([.. content, .. Seal(content, asked)]);
    }

    /// <summary>The place that a cursor holds; null when it was not made here for this selection and order.</summary>
    public object[]? Read(string cursor, ResourceSort sort, Guid asked)
    {
        if (!Base64Url.IsValid(cursor, out var length) || length <= SealSize)
            return null;
        var bytes = new byte[length];
        if (!Base64Url.TryDecodeFromChars(cursor, bytes, out _))
            return null;
        var content = bytes[..^SealSize];
        if (!CryptographicOperations.FixedTimeEquals(bytes.AsSpan()[^SealSize..], Seal(content, asked)))
            return null;
        using var reader = new BinaryReader(new MemoryStream(content));
        return
        [
            .. sort.Keys.Select(key =>
                key.Field switch
                {
                    SortField.CreatedAt or SortField.UpdatedAt => new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero),
                    SortField.Id => new Guid(reader.ReadBytes(16)),
                    _ => (object)reader.ReadString(),
                }
            ),
        ];
    }

    byte[] Seal(byte[] content, Guid asked) =>
        HMACSHA256.HashData(key, (byte[])[.. asked.ToByteArray(), .. content])[..SealSize];
}
