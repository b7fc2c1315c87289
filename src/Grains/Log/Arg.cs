using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace Resources.Grains;

/// <summary>Typed parameters of statements.</summary>
public static class Arg
{
    /// <summary>A value whose type in the database follows from its own. Null is sent as null of that type.</summary>
    public static NpgsqlParameter Of<T>(T value) => new NpgsqlParameter<T> { TypedValue = value };

    /// <summary>Text of JSON.</summary>
    public static NpgsqlParameter Json(string json) =>
        new NpgsqlParameter<string> { TypedValue = json, NpgsqlDbType = NpgsqlDbType.Jsonb };

    /// <summary>A list of byte strings.</summary>
    public static NpgsqlParameter Bytes(byte[][] values) =>
        new NpgsqlParameter<byte[][]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea };

    /// <summary>Adds the values of an array to a statement's parameters.</summary>
    public static void AddArray<T>(this NpgsqlParameterCollection parameters, NpgsqlDbType element, T[] values) =>
        parameters.Add(new NpgsqlParameter<T[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | element });

    /// <summary>Adds a value to a statement under construction; returns the text that stands for it there.</summary>
    public static string Place(this NpgsqlParameterCollection parameters, object? value, NpgsqlDbType type)
    {
        parameters.Add(new() { Value = value ?? DBNull.Value, NpgsqlDbType = type });
        return "$" + parameters.Count.ToString(CultureInfo.InvariantCulture);
    }
}

/// <summary>Columns that may be null.</summary>
public static class NullableColumns
{
    public static string? TextOrNull(this NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetString(column);

    public static int? IntOrNull(this NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetInt32(column);

    public static long? LongOrNull(this NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetInt64(column);

    public static DateTimeOffset? TimeOrNull(this NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);
}
