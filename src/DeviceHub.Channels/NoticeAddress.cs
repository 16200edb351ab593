using DeviceHub.Core.Merchants;

namespace DeviceHub.Channels;

/// <summary>Where channels send their notices: the hub's own endpoint, as it is seen from the Internet.</summary>
/// <param name="publicUrl">Null: the hub cannot be reached from there, and no address is sent.</param>
public sealed class NoticeAddress(Uri? publicUrl)
{
    /// <summary>Null: none.</summary>
    public string? Of(ChannelAccount account) =>
        publicUrl is null ? null : $"{publicUrl.AbsoluteUri.TrimEnd('/')}/notify/{account.Channel}/{Uri.EscapeDataString(account.Id)}";
}
