using Microsoft.AspNetCore.Components.Web;

namespace DeviceHub.Dashboard;

/// <summary>How live pages are rendered: on the server, and not twice: what a page shows is read once, when its connection stands.</summary>
internal static class LiveMode
{
    public static readonly InteractiveServerRenderMode Server = new(prerender: false);
}
